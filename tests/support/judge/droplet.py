"""Commands on a droplet of the lab, from inside it."""

import subprocess

from tests.support.lab.lab import LAB, STATE


def run_on(droplet: str, *argv: str, stdin: bytes = b"", check: bool = True, timeout: float = 300) -> bytes:
    """What a command printed on a droplet of the lab."""
    words = [str(STATE / "bin" / "docker"), "exec", "-i", f"{LAB}-{droplet}", *argv]
    answer = subprocess.run(words, input=stdin, capture_output=True, timeout=timeout, check=False)
    assert not check or answer.returncode == 0, f"`{' '.join(argv)}` on {droplet}: {answer.stderr.decode()}"
    return answer.stdout


def script_on(droplet: str, script: str, stdin: bytes = b"", *, check: bool = True) -> bytes:
    """What a shell script printed there."""
    return run_on(droplet, "sh", "-euc", script, stdin=stdin, check=check)
