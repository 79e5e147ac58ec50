"""The running lab: where its parts are, and the credentials it made for itself. `make lab` starts it."""

import json
import os
import ssl
import subprocess
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

import httpx
import paramiko
import pytest

from tests import CHECKOUT

LAB = os.environ.get("SLIPWAY_LAB") or "slipway-lab"
STATE = Path(os.environ.get("SLIPWAY_STATE") or CHECKOUT / ".slipway")
# Registries have addresses of their own, and a certificate of the lab's own authority for them.
_NETWORK = os.environ.get("SLIPWAY_LAB_NETWORK") or "198.18.199"
REGISTRY, DOCR = f"{_NETWORK}.250:5000", f"{_NETWORK}.251:5001"
DOCR_TOKENS = f"https://{_NETWORK}.251:8443/_registry/token"
CA = STATE / "lab/tls/ca.crt"
SSH_PORTS = {"green": 2201, "blue": 2202, "edge": 2203, "data": 2204}
# `make down` removes what carries these labels, so that what a killed run left does not outlive the lab.
LABELS = ("dev.slipway.lab=true", f"com.docker.compose.project={LAB}")


def port(name: str, default: int) -> int:
    """The host port of one part of the lab; SLIPWAY_LAB_…_PORT moves it."""
    return int(os.environ.get(f"SLIPWAY_LAB_{name}_PORT") or default)


@dataclass(frozen=True)
class Lab:
    """Addresses, files and secrets of the lab."""

    directory: Path
    credentials: dict[str, str]
    name: str = LAB
    registry: str = REGISTRY
    edge: str = f"http://127.0.0.1:{port('EDGE', 8080)}"
    prometheus: str = f"http://127.0.0.1:{port('PROMETHEUS', 9090)}"
    langfuse: str = f"http://127.0.0.1:{port('LANGFUSE', 3000)}"

    @property
    def registry_auth(self) -> tuple[str, str]:
        return self.credentials["registry_username"], self.credentials["registry_password"]

    @property
    def langfuse_auth(self) -> tuple[str, str]:
        return self.credentials["langfuse_public_key"], self.credentials["langfuse_secret_key"]

    @property
    def private_key(self) -> Path:
        return self.directory / "droplet_key"

    def ssh_port(self, colour: str) -> int:
        return port(f"{colour.upper()}_SSH", SSH_PORTS[colour])

    def host_key(self, colour: str) -> str:
        """`ssh-ed25519 AAAA…`, as `make lab` read it from inside the droplet."""
        return (self.directory / f"{colour}.host_key").read_text().strip()

    def docker(self, *argv: str, check: bool = True) -> str:
        """Run the host engine's client; its output."""
        return docker(*argv, check=check)

    def inside(self, part: str, *argv: str, check: bool = True) -> str:
        """Run a command inside one of the lab's containers; its output."""
        return docker("exec", f"{self.name}-{part}", *argv, check=check)


def lab_tls() -> ssl.SSLContext:
    """What trusts the lab's registries, and nothing else."""
    return ssl.create_default_context(cafile=CA)


def use_settings() -> None:
    """From now on commands in this process and its children have the lab's settings and Prefect server, with its login,
    unless others are named. Prefect reads this when it is imported. The key of a demo does not count: what tests
    publish is not signed, but where signing is what they test; and an overview, which takes half a second of every
    command, is written where that is what they test."""
    os.environ.setdefault("SLIPWAY_OVERVIEW", "false")
    os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "6")  # SQLite is locked now and then, with four tests at work
    for name in ("SLIPWAY_SIGNING", "SLIPWAY_TRUSTED"):
        os.environ.setdefault(name, "")
    if (STATE / "settings.toml").exists():
        os.environ.setdefault("SLIPWAY_SETTINGS", str(STATE / "settings.toml"))
    os.environ.setdefault("PREFECT_API_URL", f"http://127.0.0.1:{os.environ.get('SLIPWAY_PREFECT_PORT') or 4200}/api")
    if (STATE / "prefect" / "profiles.toml").exists():
        os.environ.setdefault("PREFECT_HOME", str(STATE / "prefect"))


def prefect_login() -> str:
    """NAME:PASSWORD of the Prefect API; '' where it asks for none."""
    from prefect.settings import get_current_settings  # noqa: PLC0415 — after the environment is set

    login = get_current_settings().api.auth_string
    return login.get_secret_value() if login else ""


def prefect_api(login: str | None = None) -> httpx.Client:
    """A client of the Prefect API; with our login, or another one ('': none)."""
    name, _, password = (prefect_login() if login is None else login).partition(":")
    auth = (name, password) if name else None
    return httpx.Client(base_url=os.environ["PREFECT_API_URL"], timeout=60, auth=auth)


def find_lab() -> Lab:
    """The lab; the test fails when it does not run, for a skipped test proves nothing."""
    file = STATE / "lab" / "credentials.json"
    if not file.exists():
        pytest.fail("the lab does not run. Start it with: make lab", pytrace=False)
    return Lab(file.parent, json.loads(file.read_text()))


def docker(*argv: str, check: bool = True) -> str:
    """Run the host engine's client; its output."""
    return run(STATE / "bin" / "docker", *argv, check=check)


def run(*argv: str | Path, check: bool = True) -> str:
    """Run a command for at most two minutes; its output, or an assertion that shows what it said."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)
    assert not check or done.returncode == 0, f"{' '.join(map(str, argv))}: {done.stderr or done.stdout}"
    return done.stdout.strip()


def connect(lab: Lab, colour: str, **credentials: object) -> paramiko.SSHClient:
    """A connection to a droplet that accepts the pinned host key alone; by default with the lab's key."""
    kind, key = lab.host_key(colour).split()
    client = paramiko.SSHClient()
    client.get_host_keys().add(
        f"[127.0.0.1]:{lab.ssh_port(colour)}", kind, paramiko.PKey.from_type_string(kind, b64decode(key))
    )
    chosen = credentials or {"key_filename": str(lab.private_key)}
    client.connect(
        "127.0.0.1", lab.ssh_port(colour), "root", timeout=10, allow_agent=False, look_for_keys=False, **chosen
    )
    return client
