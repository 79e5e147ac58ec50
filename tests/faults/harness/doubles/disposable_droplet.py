"""Droplets of the suite's own, from the lab's image, that may be filled, rebooted, or given another time."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import wait_until
from tests.support.lab.lab import LAB, LABELS, docker

_ENGINE = "/var/lib/docker"


@dataclass(frozen=True)
class DisposableDroplet:
    """A droplet of one's own: its name (as an `OnDroplet` takes it), and where its sshd listens on loopback."""

    name: str
    ssh_port: int
    sockets: Path

    @property
    def container(self) -> str:
        return f"{LAB}-{self.name}"

    @property
    def docker_host(self) -> str:
        """Its engine, as DOCKER_HOST: a build host of one's own."""
        return f"unix://{self.sockets}/docker.sock"

    def inside(self, script: str) -> str:
        """Run a script inside it, past SSH."""
        return docker("exec", self.container, "sh", "-euc", script)

    def block(self, like: Any) -> Any:
        """Its Droplet block: another's key, its own port and host key."""
        key = " ".join(self.inside("cat /var/lib/droplet/ssh_host_ed25519_key.pub").split()[:2])
        return like.model_copy(update={"port": self.ssh_port, "host_key": key})

    def fill(self, leave: int) -> None:
        """Fill its engine's disk until only so many bytes are free."""
        self.inside(
            f"free=$(($(df -Pk {_ENGINE} | awk 'END {{print $4}}') * 1024))\n"
            f"[ $free -le {leave} ] || head -c $((free - {leave})) /dev/zero >>{_ENGINE}/ballast"
        )

    def make_room(self) -> None:
        """Take the filling away again."""
        self.inside(f"rm -f {_ENGINE}/ballast")

    def reboot(self) -> None:
        """Pull the plug and put it back: nothing on it is asked to end well."""
        docker("kill", self.container)
        docker("start", self.container)

    def restart_engine(self) -> None:
        """End its engine; what keeps it running starts it again."""
        self.inside("pkill -TERM -x dockerd")

    def ready(self) -> None:
        """Wait until sshd and the engine answer, and the registry can be reached."""
        ask = ["docker", "exec", self.container, "healthy"]
        wait_until(
            lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0,
            why=lambda: docker("logs", "--tail", "20", self.container),
            pause=0.1,
        )

    def offer_engine(self) -> None:
        """Make its engine's socket reachable from here."""
        listen = ["socat", "UNIX-LISTEN:/sockets/docker.sock,fork", "UNIX:/var/run/docker.sock"]
        docker("exec", "--detach", self.container, *listen)
        wait_until((self.sockets / "docker.sock").exists)


@contextmanager
def open_disposable_droplet(name: str, state: Path, sockets: Path, disk: str = "") -> Iterator[DisposableDroplet]:
    """Start it, after throwing away what a killed run left; remove it at the end. It is ready in two seconds.

    Args:
        state: the lab's state directory.
        sockets: an empty directory with a short path.
        disk: size of its engine's disk, such as `700m`, which a reboot empties; '': a volume of no such size.
    """
    container = f"{LAB}-{name}"
    docker("rm", "--force", "--volumes", container, check=False)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    labels = [word for label in LABELS for word in ("--label", label)]
    engine = ["--tmpfs", f"{_ENGINE}:size={disk},exec,dev,suid"] if disk else ["--volume", _ENGINE]
    key = f"{state}/lab/droplet_key.pub:/etc/slipway/authorized_keys:ro"
    docker(
        "run", "--detach", "--init", "--name", container, "--hostname", name, *labels, "--network", LAB,
        "--privileged", "--tmpfs", "/run", *engine, "--volume", "/var/lib/droplet", "--volume", "/opt",
        "--volume", key, "--volume", f"{state}/lab/certs.d:/etc/docker/certs.d:ro", "--volume", f"{sockets}:/sockets",
        "--publish", f"127.0.0.1:{port}:22", f"{LAB}-droplet",
    )  # fmt: skip
    disposable = DisposableDroplet(name, port, sockets)
    try:
        disposable.ready()
        yield disposable
    finally:
        docker("rm", "--force", "--volumes", container)
