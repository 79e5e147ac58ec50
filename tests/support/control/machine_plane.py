"""A control plane of `slipway server up` in a directory of its own: for tests."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from flows.tasks.control.supervisor import recorded
from tests import CHECKOUT


class MachinePlane:
    """A control plane in a directory of its own, and the commands for it."""

    def __init__(self, place: Path) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.directory, self.repository, self.home = place / "plane", place / "shop", place / "home"
        for made in (self.repository, self.home):
            made.mkdir()
        self.api = f"http://127.0.0.1:{self.port}/api"

    def __call__(self, *words: str, code: Path = CHECKOUT) -> subprocess.CompletedProcess[str]:
        """`slipway server …` of the code in a directory."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "PREFECT_HOME": str(self.home / "prefect"),
            "PYTHONPATH": str(code), "DO_NOT_TRACK": "1",
        }  # fmt: skip
        argv = [sys.executable, "-m", "flows.cli", "server", *words, "--directory", str(self.directory)]
        return subprocess.run(
            argv, cwd=self.repository, env=environment, capture_output=True, text=True, timeout=400, check=False
        )

    def child(self, name: str) -> int:
        return recorded(self.directory / f"run/{name}.child")

    @property
    def login(self) -> tuple[str, str]:
        text = (self.home / "prefect/profiles.toml").read_text()
        name, _, password = text.split('PREFECT_API_AUTH_STRING = "')[1].split('"')[0].partition(":")
        return name, password


def answer(plane: MachinePlane, method: str, path: str, **options: Any) -> httpx.Response:
    """What its API answers; 503 where nobody does."""
    try:
        return httpx.request(method, f"{plane.api}{path}", auth=plane.login, trust_env=False, timeout=15, **options)
    except httpx.HTTPError:
        return httpx.Response(503)
