"""A stack on a droplet of the lab, seen from inside it and not through Slipway."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.support.lab.lab import LAB

SHARED = "/opt/slipway"


@dataclass(frozen=True)
class DropletView:
    """A stack as it stands on a droplet of the lab, seen from inside it and not through Slipway."""

    droplet: str
    stack: str
    directory: str = SHARED

    def sh(self, script: str, stdin: bytes = b"") -> str:
        argv = ["docker", "exec", "-i", f"{LAB}-{self.droplet}", "sh", "-euc", script]
        answer = subprocess.run(argv, input=stdin, capture_output=True, timeout=60, check=False)
        assert answer.returncode == 0, f"`{script}`: {answer.stderr.decode()}"
        return answer.stdout.decode()

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
            f"rm -rf {self.home if self.directory == SHARED else self.directory}\n"
            f"[ ! -d {self.directory} ] || rmdir --ignore-fail-on-non-empty {self.directory}\n"
            f"ids=$(docker images --no-trunc | awk '$1 ~ /{images}/ {{print $3}}' | sort -u)\n"
            '[ -z "$ids" ] || docker rmi -f $ids >/dev/null'
        )
