"""The lab's stand-in for DigitalOcean, as tests set it up, break it, and look at it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.support.lab.lab import STATE, port

URL = f"http://127.0.0.1:{port('DIGITALOCEAN', 8090)}"


class Cloud:
    """The account behind the API, by what is no part of the API."""

    def __init__(self) -> None:
        self.token: str = json.loads((STATE / "lab/credentials.json").read_text())["digitalocean_token"]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the lab's own control, or of the API itself."""
        login = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.request(method, f"{URL}{path}", json=body, headers=login, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def client(self) -> Any:
        """The client that Slipway uses."""
        from blocks.digitalocean.client import DigitalOcean  # noqa: PLC0415 — after the environment is set

        return DigitalOcean(self.token, URL)

    def account(self, token: str = "") -> Any:
        """A block of the account, with this token or the lab's."""
        from blocks import DigitalOceanAccount  # noqa: PLC0415 — after the environment is set

        return DigitalOceanAccount(token=token or self.token, api=URL)

    def settings(self, **settings: Any) -> None:
        self.ask("PUT", "/_lab/settings", settings)

    def faults(self, *faults: dict[str, Any]) -> None:
        self.ask("PUT", "/_lab/faults", list(faults))

    def state(self) -> Any:
        return self.ask("GET", "/_lab/state")

    def new_token(self, **given: Any) -> tuple[str, str]:
        """(token, id): with `scopes`, or one that `expires_in` so many seconds."""
        made = self.ask("POST", "/_lab/tokens", given)
        return made["token"], made["id"]

    def revoke(self, id: str) -> None:
        self.ask("DELETE", f"/_lab/tokens/{id}")

    def calm(self) -> None:
        """No faults, the usual limits, and only the lab's token."""
        self.ask("POST", "/_lab/calm")


@contextmanager
def calm_cloud() -> Iterator[Cloud]:
    """The account as it is by default, before and after."""
    cloud = Cloud()
    cloud.calm()
    try:
        yield cloud
    finally:
        cloud.calm()
