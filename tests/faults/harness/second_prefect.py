"""A second Prefect server: another team's, or one that is going to die."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support import wait_until


class SecondPrefect:
    """Its own home, its own port. It needs twenty seconds to start: start it early, and ask for it late."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a command use it."""
        return {"PREFECT_API_URL": self.api, "PREFECT_HOME": str(self._home)}

    def start(self) -> None:
        """Start it in the background."""
        log = (self._home / "server.log").open("ab")
        more = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        self._process = subprocess.Popen(
            ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)],
            env={**os.environ, **self.environment, **more},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def ready(self) -> None:
        """Wait until it is healthy."""
        wait_until(self._healthy_or_ended, why=self._log, pause=0.2)
        assert self._process is not None
        assert self._process.poll() is None, f"the second Prefect server ended: {self._log()}"

    def _healthy_or_ended(self) -> bool:
        return self._healthy() or self._process is None or self._process.poll() is not None

    def _log(self) -> str:
        return (self._home / "server.log").read_text()[-2000:]

    def save(self, blocks: Mapping[str, Any]) -> None:
        """Save blocks there, under these names."""
        from prefect.settings import PREFECT_API_URL, temporary_settings  # noqa: PLC0415

        with temporary_settings({PREFECT_API_URL: self.api}):
            for name, block in blocks.items():
                type(block)(**{field: getattr(block, field) for field in _own(block)}).save(name, overwrite=True)

    def die(self) -> None:
        """End it at once, with all its processes."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def ask(self, path: str, query: dict[str, Any]) -> Any:
        """POST to its API."""
        return httpx.post(f"{self.api}/{path}", json=query, timeout=30).raise_for_status().json()

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.api}/health", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


def _own(block: Any) -> list[str]:
    return [name for name in type(block).model_fields if name != "block_type_slug"]


@contextmanager
def started(home: Path) -> Iterator[SecondPrefect]:
    """A server that is starting; gone at the end."""
    server = SecondPrefect(home)
    server.start()
    try:
        yield server
    finally:
        server.die()
