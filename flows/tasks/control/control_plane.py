"""The control plane on this machine: start it, stop it, look at it. Done again, each changes nothing."""

import dataclasses
import importlib.metadata
import json
import os
import socket
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.core.control.server import (
    POOL,
    SERVER,
    WORKER,
    ControlPlane,
    common_environment,
    read_plane,
    server_service,
    worker_service,
)
from flows.core.errors import BadServerDirectory, ServerNotReady, ServerPortTaken
from flows.tasks.control.profile import ensure_profile, profiles_file
from flows.tasks.control.registration import register_all
from flows.tasks.control.services import Services, services_here

HEALTHY_S = 180
_FILE = "control-plane.json"
Say = Callable[[str], None]


def default_directory() -> Path:
    """Where the control plane is kept when nobody says where."""
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(data).expanduser() / "slipway"


def start_control_plane(
    say: Say, directory: Path, repository: Path | None = None, host: str = "", port: int = 0
) -> ControlPlane:
    """Start what does not run, register what is missing, and say each change.

    Args:
        say: is told one sentence a change.
        directory: of the control plane.
        repository: where runs work; like host and port: default, what was said the first time.

    Raises:
        BadServerDirectory, ServerPortTaken, ServerNotReady, NotDeployed
    """
    plane = _settled(directory, repository, host, port)
    services = _services(plane)
    if not services.running(SERVER) and _is_taken(plane):
        raise ServerPortTaken(
            f"port {plane.port} of {plane.host} is taken by something that is not this control plane; nothing was "
            "changed. Look who it is (ss -ltnp), or take another one: slipway server up --port PORT"
        )
    changes: list[str] = []

    def changed(sentence: str) -> None:
        changes.append(sentence)
        say(sentence)

    login, told = ensure_profile(plane.api)
    for sentence in told:
        changed(sentence)
    versions = " ".join(f"{name}-{importlib.metadata.version(name)}" for name in ("slipway", "prefect"))
    common = common_environment(plane, str(profiles_file()), os.environ, versions)
    if done := services.start(server_service(plane, common)):
        changed(f"The Prefect server was {done}: {plane.api.removesuffix('/api')}.")
    _await_health(plane, services)
    _refuse_an_open_api(plane)
    register_all(changed, Path(plane.repository), ApiConnection(plane.api, login))
    if done := services.start(worker_service(plane, common)):
        changed(f"The worker was {done}; its runs work in {plane.repository}.")
    say(services.survives if changes else f"Nothing to change: the control plane runs at {plane.api}.")
    return plane


def stop_control_plane(say: Say, directory: Path) -> None:
    """Stop both services; the database, the login and the deployments stay.

    Raises:
        BadServerDirectory, ServerNotReady
    """
    plane = _known(directory)
    if plane is None:
        say(f"There is no control plane in {directory}.")
        return
    services = _services(plane)
    for name in (WORKER, SERVER):
        say(f"{name} was stopped." if services.stop(name) else f"{name} did not run.")


def look_at_control_plane(directory: Path, login: str = "") -> dict[str, Any]:
    """What runs: services, the API's health, deployments, workers.

    Raises:
        BadServerDirectory
    """
    plane = _known(directory)
    if plane is None:
        return {"directory": str(directory), "known": False, "well": False}
    services = _services(plane)
    seen: dict[str, Any] = {"known": True, **dataclasses.asdict(plane), "api": plane.api}
    seen["services"] = {name: services.running(name) for name in (SERVER, WORKER)}
    seen["healthy"] = _is_healthy(plane)
    seen["deployments"], seen["workers"] = 0, []
    if seen["healthy"]:
        login = login or ensure_profile(plane.api)[0]
        with PrefectApi(ApiConnection(plane.api, login)) as api:
            seen["deployments"] = api.post("/deployments/count", {"deployments": {"tags": {"all_": ["slipway"]}}}) or 0
            workers = api.post(f"/work_pools/{POOL}/workers/filter", {"limit": 50}) or []
            seen["workers"] = sorted(one["name"] for one in workers if one.get("status") == "ONLINE")
    seen["well"] = all(seen["services"].values()) and seen["healthy"] and bool(seen["deployments"] and seen["workers"])
    return seen


def _settled(directory: Path, repository: Path | None, host: str, port: int) -> ControlPlane:
    """The control plane as it was told the first time, with what is told now; written down."""
    directory = directory.expanduser().resolve()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (directory / "run").mkdir(mode=0o700, exist_ok=True)
        found = directory.stat()
        if found.st_uid != os.geteuid():
            raise BadServerDirectory(f"{directory} is another user's. Name one of your own: --directory PATH")
        if stat.S_IMODE(found.st_mode) & 0o077:
            directory.chmod(0o700)
    except OSError as error:
        raise BadServerDirectory(f"{directory} cannot be used: {error}. Name another one: --directory PATH") from None
    known = _known(directory) or ControlPlane(str(directory), str(Path.cwd()))
    plane = ControlPlane(
        str(directory),
        str(repository.expanduser().resolve()) if repository else known.repository,
        host or known.host,
        port or known.port,
    )
    if not Path(plane.repository).is_dir():
        raise BadServerDirectory(f"{plane.repository}, where runs are to work, is no directory. Name it: --repository")
    new = directory / f"{_FILE}.new"
    new.write_text(json.dumps(dataclasses.asdict(plane), indent=1))
    new.replace(directory / _FILE)
    return plane


def _known(directory: Path) -> ControlPlane | None:
    file = directory.expanduser().resolve() / _FILE
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadServerDirectory(f"{file} cannot be read: {error}") from None
    with suppress(ValueError, RecursionError):
        if plane := read_plane(json.loads(text)):
            return plane
    raise BadServerDirectory(f"{file} is not what `slipway server up` writes. Move it away, and run that again")


def _services(plane: ControlPlane) -> Services:
    return services_here(Path(plane.directory) / "run")


def _is_taken(plane: ControlPlane) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((plane.host, plane.port))
        except OSError:
            return True
    return False


def _is_healthy(plane: ControlPlane) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{plane.api}/health", timeout=3, trust_env=False).is_success
    return False


def _await_health(plane: ControlPlane, services: Services) -> None:
    deadline = time.monotonic() + HEALTHY_S
    while not _is_healthy(plane):
        if time.monotonic() > deadline or not services.running(SERVER):
            raise ServerNotReady(
                f"the Prefect server at {plane.api} did not become healthy within {HEALTHY_S} s. Its log: "
                f"{plane.directory}/run/{SERVER}.log, or: journalctl -u {SERVER}. Then: slipway server up"
            )
        time.sleep(0.5)


def _refuse_an_open_api(plane: ControlPlane) -> None:
    answer = httpx.get(f"{plane.api}/admin/version", timeout=15, trust_env=False, auth=("slipway", "not the password"))
    if answer.status_code != httpx.codes.UNAUTHORIZED:
        raise ServerNotReady(
            f"the Prefect server at {plane.api} takes a wrong login ({answer.status_code}). "
            "Stop it: slipway server down"
        )
