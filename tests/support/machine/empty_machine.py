"""An empty machine: a fresh minimal Debian in a container, with sshd, a key for root, and a user who may sudo."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import wait_until
from tests.support.lab.lab import LAB, LABELS, STATE, docker

ADMIN, NOBODY = "admin", "visitor"
_DOCKERFILE = f"""\
FROM debian:trixie-slim
RUN apt-get update -q && apt-get install -y -q --no-install-recommends openssh-server sudo && apt-get clean \\
    && rm -rf /var/lib/apt/lists/* && rm -f /etc/ssh/ssh_host_* && mkdir -p /run/sshd \\
    && for user in {ADMIN} {NOBODY}; do useradd --create-home --shell /bin/bash "$user"; done \\
    && echo '{ADMIN} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{ADMIN}
# A container may not raise its limits, and the init script of the engine's package would end for that.
RUN echo 'ulimit() {{ :; }}' >/etc/default/docker
COPY start /usr/local/sbin/start
CMD ["start"]
"""
_START = f"""\
#!/bin/sh
set -e
mkdir -p /run/sshd
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
for user in root {ADMIN} {NOBODY}; do
    home=$(getent passwd "$user" | cut -d: -f6)
    install -d -m 700 -o "$user" "$home/.ssh"
    install -m 600 -o "$user" /etc/slipway/authorized_keys "$home/.ssh/authorized_keys"
done
exec /usr/sbin/sshd -D -e
"""


@dataclass(frozen=True)
class EmptyMachine:
    """The machine: its container, and where its sshd listens on loopback."""

    container: str
    port: int

    def inside(self, script: str) -> str:
        """Run a script inside it, past SSH."""
        return docker("exec", self.container, "sh", "-euc", script)

    def state(self) -> str:
        """What a second set-up must not change: packages, accounts, files of the engine and of the deploy user."""
        return self.inside(
            "dpkg-query -W | sha256sum; sha256sum /etc/passwd /etc/group /etc/shadow /etc/fstab\n"
            "find /etc/docker /home/slipway -type f -exec sha256sum {} + 2>/dev/null | sort\n"
            "stat -c '%U %a %Y' /opt/slipway 2>/dev/null || true; cat /run/docker.pid 2>/dev/null || true"
        )


@contextmanager
def open_empty_machine(name: str, place: Path) -> Iterator[EmptyMachine]:
    """Start one, after throwing away what a killed run left; remove it at the end.

    Args:
        place: an empty directory that its image is built from.
    """
    container, image = f"{LAB}-{name}", f"{LAB}-empty-machine"
    (place / "Dockerfile").write_text(_DOCKERFILE)
    (place / "start").write_text(_START)
    (place / "start").chmod(0o755)
    labels = [word for label in LABELS for word in ("--label", label)]
    docker("build", "--quiet", *labels, "--tag", image, str(place))
    docker("rm", "--force", "--volumes", container, check=False)
    docker(
        "run", "--detach", "--init", "--name", container, "--hostname", name, *labels, "--network", LAB, "--privileged",
        "--volume", "/var/lib/docker", "--publish", "127.0.0.1::22",
        "--volume", f"{STATE}/lab/droplet_key.pub:/etc/slipway/authorized_keys:ro",
        "--volume", f"{STATE}/lab/certs.d:/etc/docker/certs.d:ro", image,
    )  # fmt: skip
    try:
        port = int(docker("port", container, "22/tcp").splitlines()[0].rpartition(":")[2])
        ask = ["docker", "exec", container, "sh", "-c", "test -s /run/sshd.pid"]
        wait_until(
            lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0,
            why=lambda: docker("logs", "--tail", "20", container),
            pause=0.2,
        )
        yield EmptyMachine(container, port)
    finally:
        docker("rm", "--force", "--volumes", container)
