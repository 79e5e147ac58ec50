"""A registry and a droplet of the benchmark's own, from the lab's images and on the lab's network.

They can be emptied and thrown away at will: what others keep in the lab's own registry and droplets is not touched,
and the registry writes an access log, by which the bytes that a droplet pulls are counted.
"""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import BenchmarkFailed, run

CHECKOUT = Path(__file__).resolve().parents[1]
STATE = Path(os.environ.get("SLIPWAY_STATE") or CHECKOUT / ".slipway")
os.environ.setdefault("SLIPWAY_SETTINGS", str(STATE / "settings.toml"))
NETWORK = os.environ.get("SLIPWAY_LAB") or "slipway-lab"
NAME = "slipway-bench"
_REGISTRY_HOST = f"{os.environ.get('SLIPWAY_LAB_NETWORK') or '198.18.199'}.252"  # the lab's certificate is for it, too
# `make down` removes what carries these two labels, so not even a killed benchmark outlives the lab.
_LABELS = ("dev.slipway.lab=true", f"com.docker.compose.project={NETWORK}", f"dev.slipway.bench={NAME}")
_PATIENCE = 90.0

_WIPE = """
docker ps --all --quiet | xargs -r docker rm --force --volumes
docker image ls --all --quiet | sort -u | xargs -r docker image rm --force
docker volume ls --quiet | xargs -r docker volume rm
docker network prune --force
rm -rf /opt/slipway /opt/runbook
"""


@dataclass(frozen=True)
class Lab:
    """The two containers: the droplet's sshd listens on loopback, the registry on an address of its own."""

    ssh_port: int

    @property
    def registry(self) -> str:
        return f"{_REGISTRY_HOST}:5000"

    @property
    def authority(self) -> str:
        """The certificate of the lab's authority."""
        return (STATE / "lab" / "tls" / "ca.crt").read_text()

    @property
    def private_key(self) -> Path:
        return STATE / "lab" / "droplet_key"

    def start(self) -> None:
        """Start both, after throwing away what a killed benchmark left."""
        remove()
        made = STATE / "lab"
        key, htpasswd = made / "droplet_key.pub", made / "htpasswd"
        start_part(
            "registry",
            ["--ip", _REGISTRY_HOST, "--volume", f"{htpasswd}:/etc/slipway/htpasswd:ro"],
            ["--volume", f"{made / 'tls'}:/etc/slipway/tls:ro"],
            ["--volume", "/var/lib/registry", "--env", "REGISTRY_LOG_ACCESSLOG_DISABLED=false"],
        )
        start_part(
            "droplet",
            [
                "--privileged",
                "--tmpfs",
                "/run",
                "--volume",
                "/var/lib/docker",
                "--volume",
                "/var/lib/droplet",
                "--volume",
                "/opt",
            ],
            ["--env", f"REGISTRY_HOST={NAME}-registry", "--volume", f"{made / 'certs.d'}:/etc/docker/certs.d:ro"],
            ["--publish", f"127.0.0.1:{self.ssh_port}:22", "--volume", f"{key}:/etc/slipway/authorized_keys:ro"],
        )
        _until_ready("droplet", ["healthy"])

    def host_key(self) -> str:
        """The droplet's public host key, read from inside it: `TYPE BASE64`."""
        return " ".join(self.inside("cat /var/lib/droplet/ssh_host_ed25519_key.pub").split()[:2])

    def inside(self, script: str) -> str:
        """Run a script inside the droplet, past SSH, so that no connection is counted."""
        return run(["docker", "exec", f"{NAME}-droplet", "bash", "-c", script])

    def empty_registry(self) -> None:
        """Throw away all it stores; it is started again because it remembers layers in memory."""
        run(["docker", "exec", f"{NAME}-registry", "rm", "-rf", "/var/lib/registry/docker"])
        run(["docker", "restart", "--time", "2", f"{NAME}-registry"])
        _until_ready("registry", ["curl", "-fsS", "--cacert", "/etc/slipway/tls/ca.crt", f"https://{self.registry}/"])

    def empty_droplet(self) -> None:
        """No container, image, volume or release is left on it."""
        self.inside(_WIPE)

    def forget_unused_images(self) -> None:
        """Remove from the droplet every image that no container uses."""
        self.inside("docker image prune --all --force")

    def only(self, project: str) -> None:
        """Stop all containers but the project's, which is started again and healthy when this returns."""
        mine = f"label=com.docker.compose.project={project}"
        self.inside(
            f"mine=$(docker ps -aq --filter '{mine}'); all=$(docker ps -q)\n"
            'for id in $all; do [[ $mine == *$id* ]] || echo "$id"; done | xargs -r docker stop >/dev/null\n'
            'xargs -r docker start >/dev/null <<<"$mine"'
        )
        count = self.inside(f"docker ps -aq --filter '{mine}' | wc -l").strip()
        check = f"(( $(docker ps -q --filter '{mine}' --filter health=healthy | wc -l) == {count} ))"
        _until_ready("droplet", ["bash", "-c", check])

    def containers(self) -> set[str]:
        """Ids of all containers on the droplet."""
        return set(self.inside("docker ps --all --quiet --no-trunc").split())

    def connections(self) -> int:
        """How often the droplet's sshd has let somebody in."""
        return sum("Accepted publickey" in line for line in _log("droplet"))

    def received(self, part: str) -> int:
        """Bytes that the registry or the droplet has received over the network since it was started."""
        return int(run(["docker", "exec", f"{NAME}-{part}", "cat", "/sys/class/net/eth0/statistics/rx_bytes"]))

    def access_log(self) -> list[str]:
        """What the registry was asked, one line a request (combined log format)."""
        return [line for line in _log("registry") if '" "' in line and "HTTP/" in line]


def free_lab() -> Lab:
    """A lab whose droplet listens on a port of loopback that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return Lab(probe.getsockname()[1])


def remove() -> None:
    """Remove the containers of a benchmark and their volumes."""
    found = run(["docker", "ps", "--all", "--quiet", "--filter", f"label={_LABELS[-1]}"]).split()
    if found:
        run(["docker", "rm", "--force", "--volumes", *found])


def remove_images() -> None:
    """Remove from the build host the images that the benchmark built."""
    label = "com.docker.compose.project"
    for project in (NAME, f"{NAME}-script"):
        wanted = ["--filter", f"label={label}={project}"]
        lines = run(["docker", "images", *wanted, "--format", "{{.Repository}}:{{.Tag}}"]).split()
        if names := [line for line in lines if "<none>" not in line]:
            run(["docker", "image", "rm", *names])
        run(["docker", "image", "prune", "--force", *wanted])


def start_part(part: str, *options: list[str], command: Sequence[str] = ()) -> None:
    """Start one container of a benchmark from the lab's image of that name."""
    name = f"{NAME}-{part}"
    labels = [word for label in _LABELS for word in ("--label", label)]
    network = ["--network", NETWORK, "--network-alias", name, "--hostname", "bench"]
    more = [word for group in options for word in group]
    run(
        [
            "docker",
            "run",
            "--detach",
            "--init",
            "--name",
            name,
            *labels,
            *network,
            *more,
            f"slipway-lab-{part}",
            *command,
        ]
    )


def _until_ready(part: str, argv: list[str]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            run(["docker", "exec", f"{NAME}-{part}", *argv])
            return
        except BenchmarkFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def _log(part: str) -> list[str]:
    command = f"docker logs {NAME}-{part} 2>&1"
    return run(["sh", "-c", command]).splitlines()
