"""A stack on a droplet of the lab, seen from inside it and not through Slipway."""

import json
import queue
import subprocess
import threading
from base64 import b64decode, b64encode
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tests.support.lab.lab import LAB

SHARED = "/opt/slipway"
_TIMEOUT_S = 60.0
# Runs one script after the other, as long as there are any: a `docker exec` for each costs more than most of them do.
# A line is a script and its standard input; the answer is the exit code, the output and the errors.
_LOOP = """out=$(mktemp -u /run/view.XXXXXX)
while read -r script stdin; do
    printf %s "$stdin" | base64 -d | sh -euc "$(printf %s "$script" | base64 -d)" >$out 2>$out.err
    echo "$? =$(base64 -w0 $out) =$(base64 -w0 $out.err)"
done
rm -f $out $out.err"""


class _Shell:
    """A shell inside a container, for one script at a time."""

    def __init__(self, container: str) -> None:
        argv = ["docker", "exec", "-i", container, "bash", "-c", _LOOP]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def run(self, script: str, stdin: bytes) -> tuple[int, str, str]:
        """Exit code, output and errors of a script; the shell is of no use after one that took too long."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(_TIMEOUT_S, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(b"%s %s\n" % (b64encode(script.encode()), b64encode(stdin)))
            self._process.stdin.flush()
            answer = self._process.stdout.readline().split()
        finally:
            timer.cancel()
        assert answer, f"`{script}` did not end within {_TIMEOUT_S:.0f} s, or its machine went away"
        code, out, err = answer
        return int(code), b64decode(out[1:]).decode(), b64decode(err[1:]).decode()


_idle: defaultdict[str, queue.SimpleQueue[_Shell]] = defaultdict(queue.SimpleQueue)


def _run(container: str, script: str, stdin: bytes) -> tuple[int, str, str]:
    """Run a script in a shell that nobody uses now, or in a new one."""
    shell = None
    while shell is None or shell.ended:
        try:
            shell = _idle[container].get_nowait()
        except queue.Empty:
            shell = _Shell(container)
            break
    answer = shell.run(script, stdin)
    _idle[container].put(shell)
    return answer


@dataclass(frozen=True)
class DropletView:
    """A stack as it stands on a droplet of the lab, seen from inside it and not through Slipway.

    Args:
        beside: something else stands in the same directory.
    """

    droplet: str
    stack: str
    directory: str = SHARED
    beside: bool = False

    def sh(self, script: str, stdin: bytes = b"") -> str:
        code, out, err = _run(f"{LAB}-{self.droplet}", script, stdin)
        assert code == 0, f"`{script}`: {err}"
        return out

    @property
    def home(self) -> str:
        return f"{self.directory}/{self.stack}"

    def containers(self) -> dict[str, dict[str, Any]]:
        """Service → what `docker inspect` says of its one container."""
        ids = self.sh(f"docker ps -aq --no-trunc --filter label=com.docker.compose.project={self.stack}").split()
        found = json.loads(self.sh(f"docker inspect {' '.join(ids)}")) if ids else []
        return {entry["Config"]["Labels"]["com.docker.compose.service"]: entry for entry in found}

    def started(self) -> dict[str, tuple[str, str]]:
        """Service → container id and start: the same before and after means that it was left alone."""
        return {name: (entry["Id"], entry["State"]["StartedAt"]) for name, entry in self.containers().items()}

    def digests(self) -> dict[str, list[str]]:
        """Service → the digests under which the engine knows the image that its container runs."""
        return {
            name: json.loads(self.sh(f"docker image inspect --format '{{{{json .RepoDigests}}}}' {entry['Image']}"))
            for name, entry in self.containers().items()
        }

    def inside(self, service: str, *argv: str) -> str:
        return self.sh(f"docker exec {self.containers()[service]['Id']} " + " ".join(argv))

    def state(self) -> str:
        """All that a deploy could change: containers, volumes, networks, and Slipway's directory with its times."""
        only = f"--filter label=com.docker.compose.project={self.stack}"
        return self.sh(
            f"docker ps -aq --no-trunc {only}; docker volume ls -q {only}; docker network ls -q --no-trunc {only}\n"
            f"[ ! -e {self.home} ] || find {self.home} -type d -print -o -printf '%p %y %s %T@\\n' | sort"
        )

    def remove(self, images: str) -> None:
        """Take the stack off the droplet: containers, volumes, network, files, and images whose name holds `images`. A
        directory of its own goes whole."""
        self.sh(
            f"only='label=com.docker.compose.project={self.stack}'\n"
            'ids=$(docker ps -aq --filter "$only"); [ -z "$ids" ] || docker rm -fv $ids >/dev/null\n'
            'ids=$(docker volume ls -q --filter "$only"); [ -z "$ids" ] || docker volume rm $ids >/dev/null\n'
            'ids=$(docker network ls -q --filter "$only"); [ -z "$ids" ] || docker network rm $ids >/dev/null\n'
            f"rm -rf {self.home if self.beside or self.directory == SHARED else self.directory}\n"
            f"[ ! -d {self.directory} ] || rmdir --ignore-fail-on-non-empty {self.directory}\n"
            f"ids=$(docker images --no-trunc | awk '$1 ~ /{images}/ {{print $3}}' | sort -u)\n"
            '[ -z "$ids" ] || docker rmi -f $ids >/dev/null'
        )
