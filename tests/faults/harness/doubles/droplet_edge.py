"""The edge that Slipway brings, on a disposable droplet beside both colours: what tests see of it, and do to it."""

import ssl
from dataclasses import dataclass

import httpx

from tests.faults.harness.doubles.disposable_droplet import DisposableDroplet
from tests.support import wait_until
from tests.support.lab.lab import docker

# Its container, by whatever number Compose gives it: an upgrade counts on.
_CONTAINER = "$(docker ps -aq --filter label=com.docker.compose.project=slipway-edge | head -n 1)"


class _Named(httpx.HTTPTransport):
    """Reaches an address, and says another name there: no DNS knows the host."""

    def __init__(self, host: str, trusted: ssl.SSLContext) -> None:
        super().__init__(verify=trusted)
        self._host = host

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": self._host}
        return super().handle_request(request)


@dataclass(frozen=True)
class DropletEdge:
    """The edge of a stack on its droplet. Its host is the droplet itself, which is there when the edge is not.

    Args:
        own: Slipway's directory on the droplet.
        host: the name by which the stack is served.
    """

    droplet: DisposableDroplet
    own: str
    stack: str
    host: str

    @property
    def directory(self) -> str:
        """Where the state files are."""
        return f"{self.own}/.edge/state/{self.stack}"

    def inside(self, script: str) -> str:
        """Run a script on its host, past SSH."""
        return self.droplet.inside(script)

    def client(self) -> httpx.Client:
        """A client that finds it under the stack's name, and trusts its own authority."""
        shown = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        address = docker("inspect", "--format", shown, self.droplet.container)
        root = self.inside(f"cat {self.own}/.edge/data/caddy/pki/authorities/local/root.crt")
        return httpx.Client(
            base_url=f"https://{address}", headers={"Host": self.host}, timeout=5, trust_env=False,
            transport=_Named(self.host, ssl.create_default_context(cadata=root)),
        )  # fmt: skip

    def files(self) -> list[str]:
        """What says where traffic goes, and what a turn left half way."""
        names = self.inside(f"ls -A {self.directory}").split()
        return sorted(name for name in names if name not in ("lock", "release"))

    def point(self, *colours: str, by: str = "a hand") -> None:
        """Have exactly these files there, as a hand would."""
        written = "".join(f' && echo \'{{"by": "{by}"}}\' >{self.directory}/{colour}' for colour in colours)
        self.inside(f"cd {self.directory} && rm -f green blue canary-* *.new{written}")

    def rename(self, away: str, to: str) -> None:
        """Move the file by hand."""
        self.inside(f"mv -T {self.directory}/{away} {self.directory}/{to}")

    def mark(self) -> str:
        """Changes whenever anybody writes, renames or removes a state file."""
        return self.inside(f"cd {self.directory} && stat -c '%n %i %Y %Z' green blue 2>/dev/null || true")

    def through(self) -> tuple[int, str | None, str]:
        """Ask through it: status, the colour that answers, and the release's version."""
        with self.client() as client:
            answer = client.get("/health")
        version = answer.json().get("version", "") if answer.is_success else ""
        return answer.status_code, answer.headers.get("x-slipway-colour"), version

    def settle(self) -> None:
        """Wait until no turn is under way: it goes on when its sender was killed."""
        busy = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -qe 'sshd: roo[t]' -e 'slipway-switc[h]'"
        wait_until(lambda: self.inside(f"! {busy} || echo busy").strip() == "", why=lambda: self.inside("ps -eo args"))

    def image(self) -> str:
        """The image that its container has."""
        return self.inside(f"docker inspect --format '{{{{.Config.Image}}}}' {_CONTAINER}").strip()

    def pause(self) -> None:
        """It answers nothing any more, and closes nothing."""
        self.inside(f"docker pause {_CONTAINER}")

    def unpause(self) -> None:
        self.inside(f"docker unpause {_CONTAINER}")
        self.ready()

    def stop(self) -> None:
        """A person stops it: it stays so until somebody starts it."""
        self.inside(f"docker stop -t 1 {_CONTAINER}")

    def start(self) -> None:
        self.inside(f"docker start {_CONTAINER}")
        self.ready()

    def restart(self) -> None:
        self.inside(f"docker restart -t 1 {_CONTAINER}")
        self.ready()

    def crash(self) -> None:
        """Its process is killed; the engine starts it again by itself."""
        self.inside(f"kill -9 $(docker inspect --format '{{{{.State.Pid}}}}' {_CONTAINER})")

    def well(self) -> None:
        """Whatever was done to it, it runs."""
        state = self.inside(f"docker inspect --format '{{{{.State.Status}}}}' {_CONTAINER}").strip()
        if state == "paused":
            self.unpause()
        elif state != "running":
            self.start()

    def ready(self) -> None:
        """Wait until it answers, whatever traffic's colour is."""
        wait_until(self._answers, why=lambda: self.inside(f"docker logs --tail 20 {_CONTAINER} 2>&1"), pause=0.05)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.get("/.slipway/active").headers)
        except (httpx.HTTPError, OSError, AssertionError):
            return False
