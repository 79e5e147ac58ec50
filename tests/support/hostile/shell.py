"""Scripts, run by `sh` where none of their commands does anything, beside a file that shows whether a word of theirs
was run."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

_NOTHING = (
    "awk", "base64", "cat", "cd", "chmod", "command", "cp", "cut", "date", "df", "docker", "echo", "find", "flock",
    "grep", "gzip", "head", "hostname", "id", "kill", "ln", "ls", "mkdir", "mv", "nproc", "printf", "ps", "pwd",
    "readlink", "rm", "rmdir", "sed", "sha256sum", "sleep", "sort", "stat", "sync", "tail", "tar", "tee",
    "timeout", "touch", "tr", "uname", "wc", "xargs",
)  # fmt: skip
# A failing command would end a script before its last word.
_HEAD = "".join(f"{name}() {{ :; }}\n" for name in _NOTHING) + 'mktemp() { echo "$SANDBOX"; }\n'
CANARY = "slipway-canary"
# How a word of a hostile name would be run: `slipway-canary` is the one program on PATH that does anything.
_C = CANARY
RUN = (
    f"$({_C})", f"`{_C}`", f";{_C};", f"\n{_C}\n", f"'{_C}'", f"';{_C};'", f'";{_C};"', f"|{_C}", f"&{_C}&", f"&&{_C}",
    f"||{_C}", f"'\n{_C}\n'", f"\\';{_C};\\'", f"$(({_C}))", f"<({_C})", f"${{x:=$({_C})}}", f")\n{_C}\n(",
    f"}}\n{_C}\n{{", f"\nE\n{_C}\n", f"#\n{_C}", f"\r\n{_C}\r\n", f"'\"'\"';{_C};'\"'\"'", f"'$({_C})'",
    f"\"$({_C})\"", f"\\$({_C})", f"\\\n;{_C}", f"esac;{_C}", f"fi;{_C}", f"done;{_C}", f"%s$({_C})", f"\\`{_C}\\`",
    f"&x;{_C}", f"]];{_C}", f"{{{{{_C}}}}}",
)  # fmt: skip


class Shell:
    """A place to run scripts in.

    Args:
        place: an empty directory.
    """

    def __init__(self, place: Path) -> None:
        self._place, self.canary = place, place / "canary"
        (place / "bin").mkdir()
        (place / "sandbox").mkdir()
        program = place / "bin" / CANARY
        program.write_text(f"#!/bin/sh\necho \"$0 $*\" >>'{self.canary}'\n")
        program.chmod(0o755)

    def problem(self, scripts: Sequence[str | bytes]) -> str:
        """What went wrong when each of these scripts was run: a word of one was run, or one is no script; '' if none.

        All are run by one shell; each by itself where there is something to tell.
        """
        found = self._run(scripts)
        if not found or len(scripts) == 1:
            return found and f"{found}: {scripts[0]!r}"
        return next(filter(None, (self.problem([one]) for one in scripts)), found)

    def _run(self, scripts: Sequence[str | bytes]) -> str:
        parts = (one.encode("utf-8", "surrogateescape") if isinstance(one, str) else one for one in scripts)
        text = _HEAD.encode() + b"".join(b"(\n%b\n) </dev/null\n" % _to_its_end(part) for part in parts) + b"exit 0\n"
        env = {
            "PATH": f"{self._place}/bin",
            "SANDBOX": f"{self._place}/sandbox",
            "HOME": "/nowhere",
            "TMPDIR": "/nowhere",
        }
        done = subprocess.run(
            ["/bin/sh"], input=text, env=env, cwd=self._place, capture_output=True, check=False, timeout=60
        )
        if self.canary.exists():
            said = self.canary.read_text()
            os.remove(self.canary)
            return f"a word of it was run ({said.strip()[:80]})"
        if done.returncode or b"yntax error" in done.stderr or b"nterminated" in done.stderr:
            return f"it is no script: {done.stderr.decode(errors='replace')[-300:]}"
        return ""


def _to_its_end(script: bytes) -> bytes:
    """The script without what would end it where a command fails: all of it is to be run."""
    return script.replace(b"set -eu", b"set -u").replace(b"set -e", b":").replace(b"|| exit\n", b"\n")
