"""An edge of one's own, from the lab's image: a Caddy that follows a state file, and the sshd it is switched by."""

import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support import wait_until
from tests.support.lab.lab import LAB, LABELS, STATE, docker

COLOURS = ("green", "blue")
DIRECTORY = "/var/lib/slipway-edge"


@dataclass(frozen=True)
class DisposableEdge:
    """A running edge, and where it is reached on loopback."""

    container: str
    ssh_port: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def directory(self) -> str:
        """Where the state files are."""
        return DIRECTORY

    def client(self) -> httpx.Client:
        """A client that finds it."""
        return httpx.Client(base_url=self.url, timeout=5, trust_env=False)

    def inside(self, script: str) -> str:
        """Run a script inside it, past SSH."""
        return docker("exec", self.container, "sh", "-euc", script)

    def host(self, like: Any) -> Any:
        """The Droplet block of its host: another's key, its own port and host key."""
        key = " ".join(self.inside("cat /var/lib/droplet/ssh_host_ed25519_key.pub").split()[:2])
        return like.model_copy(update={"port": self.ssh_port, "host_key": key})

    def files(self) -> list[str]:
        """What says where traffic goes, and what a turn left half way; nothing else may lie there but the lock."""
        return sorted(name for name in self.inside(f"ls -A {DIRECTORY}").split() if name != "lock")

    def point(self, *colours: str, by: str = "a hand") -> None:
        """Have exactly these files there, as a hand would."""
        written = "".join(f' && echo \'{{"by": "{by}"}}\' >{DIRECTORY}/{colour}' for colour in colours)
        self.inside(f"cd {DIRECTORY} && rm -f green blue canary-* *.new{written}")

    def rename(self, away: str, to: str) -> None:
        """Move the file by hand."""
        self.inside(f"mv -T {DIRECTORY}/{away} {DIRECTORY}/{to}")

    def mark(self) -> str:
        """Changes whenever anybody writes, renames or removes a state file."""
        return self.inside(f"cd {DIRECTORY} && stat -c '%n %i %Y %Z' green blue 2>/dev/null || true")

    def through(self) -> tuple[int, str | None, str]:
        """Ask through it: status, the colour that answers, and the release's version."""
        answer = httpx.get(f"{self.url}/health", timeout=10, trust_env=False)
        version = answer.json().get("version", "") if answer.is_success else ""
        return answer.status_code, answer.headers.get("x-slipway-colour"), version

    def settle(self) -> None:
        """Wait until nobody is logged in and no turn is under way: a turn goes on when its sender was killed."""
        busy = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -qe 'sshd: roo[t]' -e 'slipway-switc[h]'"
        wait_until(lambda: self.inside(f"! {busy} || echo busy").strip() == "", why=lambda: self.inside("ps -eo args"))

    def pause(self) -> None:
        """It answers nothing any more, and closes nothing."""
        docker("pause", self.container)

    def unpause(self) -> None:
        docker("unpause", self.container)
        self.ready()

    def stop(self) -> None:
        docker("stop", self.container)

    def start(self) -> None:
        docker("start", self.container)
        self.ready()

    def restart(self) -> None:
        docker("restart", self.container)
        self.ready()

    def well(self) -> None:
        """Whatever was done to it, it runs."""
        state = docker("inspect", "--format", "{{.State.Status}}", self.container).strip()
        if state == "paused":
            self.unpause()
        elif state != "running":
            self.start()

    def ready(self) -> None:
        """Wait until sshd says its banner and Caddy answers."""
        wait_until(self._answers, why=lambda: docker("logs", "--tail", "20", self.container), pause=0.05)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, httpx.HTTPError):
            with socket.create_connection(("127.0.0.1", self.ssh_port), 2) as probe:
                probe.settimeout(2)
                banner = probe.recv(4)
            httpx.get(f"{self.url}/.slipway/active", timeout=2, trust_env=False)
            return banner == b"SSH-"
        return False


@contextmanager
def open_disposable_edge(name: str, stack_port: int) -> Iterator[DisposableEdge]:
    """Start it, after throwing away what a killed run left; remove it at the end.

    Args:
        stack_port: where the stack listens on both droplets.
    """
    container = f"{LAB}-edge-{name}"
    docker("rm", "--force", "--volumes", container, check=False)
    ssh_port, port = _free_port(), _free_port()
    labels = [word for label in LABELS for word in ("--label", label)]
    upstreams = [
        word for c in COLOURS for word in ("--env", f"SLIPWAY_EDGE_{c.upper()}={LAB}-{c}:{stack_port}")
    ]  # fmt: skip
    docker(
        "run", "--detach", "--init", "--name", container, "--hostname", f"edge-{name}", *labels, "--network", LAB,
        *upstreams, "--volume", f"{STATE}/lab/droplet_key.pub:/etc/slipway/authorized_keys:ro",
        "--publish", f"127.0.0.1:{ssh_port}:22", "--publish", f"127.0.0.1:{port}:8080", f"{LAB}-edge",
    )  # fmt: skip
    edge = DisposableEdge(container, ssh_port, port)
    try:
        edge.ready()
        yield edge
    finally:
        docker("rm", "--force", "--volumes", container, check=False)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
