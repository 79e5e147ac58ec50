"""The control plane for a team as `slipway server compose` writes it, with images that are made here: for tests."""

import json
import os
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import httpx

from blocks.polling import until
from tests import CHECKOUT
from tests.support.lab.lab import LAB

DATABASES = f"{LAB}-control-plane"
HOST = "plane.test"
# Databases without their network, so that processes of this machine may reach them.
_OPENED = """\
services:
  postgres: {ports: ["127.0.0.1::5432"]}
  redis: {ports: ["127.0.0.1::6379"]}
networks:
  data: {internal: false}
"""


def docker(*words: str, timeout: float = 300, **options: Any) -> str:
    """The output of a command of Docker's, which has to succeed."""
    done = subprocess.run(
        ["docker", *words], capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL,
        **options,
    )  # fmt: skip
    assert done.returncode == 0, f"docker {' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class TeamPlaneFiles:
    """The files in a directory, and `docker compose` for them, as a project of its own."""

    def __init__(self, place: Path, image: str = "slipway-worker:latest") -> None:
        # With the labels by which `make down` finds what is the lab's.
        labels = ("--label", "dev.slipway.lab=true", "--label", f"com.docker.compose.project={LAB}")
        docker("build", "--quiet", *labels, "--tag", DATABASES, str(CHECKOUT / "compose/lab/control-plane"))
        self.directory, self.port = place / "plane", free_port()
        (place / "shop").mkdir()
        words = ["--host", HOST, "--port", str(self.port), "--address", "127.0.0.1", "--image", image]
        argv = [sys.executable, "-m", "flows.cli", "server", "compose", str(self.directory), *words]
        subprocess.run([*argv, "--repository", str(place / "shop")], check=True, timeout=60, cwd=CHECKOUT)
        with (self.directory / ".env").open("a") as file:
            for kind in ("POSTGRES", "REDIS", "CADDY"):
                file.write(f"SLIPWAY_{kind}_IMAGE={DATABASES}\n")
            file.write(f"SLIPWAY_HTTP_PORT={free_port()}\nCOMPOSE_PROJECT_NAME=plane-{uuid.uuid4().hex[:8]}\n")

    @property
    def settings(self) -> dict[str, str]:
        """What .env says."""
        lines = (self.directory / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    @property
    def login(self) -> tuple[str, str]:
        name, _, password = self.settings["SLIPWAY_LOGIN"].partition(":")
        return name, password

    def open_databases(self) -> None:
        """Let processes of this machine reach PostgreSQL and Redis."""
        (self.directory / "compose.override.yaml").write_text(_OPENED)

    def compose(self, *words: str, timeout: float = 300) -> str:
        return docker(
            "compose", "--project-directory", str(self.directory), *words, timeout=timeout, cwd=self.directory
        )

    def remove(self) -> None:
        self.compose("down", "--volumes", "--timeout", "3")

    def place_of(self, service: str, port: int) -> str:
        """Where a port of a service is reached from this machine."""
        return self.compose("port", service, str(port)).strip()

    def service(self, name: str) -> dict[str, Any]:
        """A service, as Compose reads it."""
        services: dict[str, Any] = json.loads(self.compose("config", "--format", "json"))["services"]
        return services[name]


class ServerProcess:
    """A service of ours as a process of this machine: its command and environment, with other places."""

    def __init__(self, plane: TeamPlaneFiles, name: str, log: Path) -> None:
        service = plane.service(name)
        self.port = free_port()
        postgres, redis = plane.place_of("postgres", 5432), plane.place_of("redis", 6379)
        self.environment = {
            key: value.replace("postgres:5432", postgres)
            .replace("redis:6379", redis)
            .replace("/tmp/", f"{log.parent}/")
            for key, value in service["environment"].items()
        } | {"PATH": os.environ["PATH"], "HOME": str(log.parent)}
        words = {"0.0.0.0": "127.0.0.1", "4200": str(self.port)}
        self.argv = [sys.executable, "-m", *(words.get(word, word) for word in service["command"])]
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.auth = plane.login

    def run(self) -> None:
        """To its end, which has to be good."""
        done = subprocess.run(self.argv, env=self.environment, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()[-3000:]

    def start(self) -> None:
        """Until it is healthy."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.argv, env=self.environment, stdout=log, stderr=log)
        until(self.healthy, bool, 120, pause=0.2,
              unfinished=lambda *_: AssertionError(self.log.read_text()[-3000:]))  # fmt: skip

    def kill(self) -> None:
        """At once, by SIGKILL."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def healthy(self) -> bool:
        try:
            return httpx.get(f"{self.api}/ready", timeout=5, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"
