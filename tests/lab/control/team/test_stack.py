"""The control plane for a team as it is, in containers: what it survives. No run is lost, and none is done twice."""

import os
import ssl
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from blocks.polling import until
from tests import CHECKOUT
from tests.support.control.notes import deploy_notes, let_go, notes_of, once_each
from tests.support.control.team_plane import HOST, TeamPlaneFiles, docker

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.environ.get("SLIPWAY_FAULTS") != "all", reason="five minutes: SLIPWAY_FAULTS=all"),
]
IMAGE = "slipway-lab-worker"


class Stack:
    """The stack that runs, and its API through TLS."""

    def __init__(self, files: TeamPlaneFiles, shop: Path) -> None:
        self.files, self.shop = files, shop
        authority = files.directory / "root.crt"
        files.compose("cp", "proxy:/data/caddy/pki/authorities/local/root.crt", str(authority))
        trust = ssl.create_default_context(cafile=str(authority))
        self.client = httpx.Client(verify=trust, trust_env=False, timeout=30, auth=files.login)
        self.deployment = deploy_notes(lambda path, body: self.ask("POST", path, body), shop, "/srv/stack")

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.client.request(
            method, f"https://127.0.0.1:{self.files.port}/api{path}", json=body, headers={"Host": HOST},
            extensions={"sni_hostname": HOST}, **options,
        )  # fmt: skip

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """As clients of Prefect do it: again where a server was busy or gone."""

        def refused(answer: httpx.Response, _seconds: float) -> Exception:
            return AssertionError(f"{path}: {answer.status_code}: {answer.text[:500]}")

        def answer() -> httpx.Response:
            try:
                return self.send(method, path, body)
            except httpx.TransportError:
                return httpx.Response(503)

        said = until(answer, lambda one: one.status_code < 500, 120, pause=0.5, unfinished=refused)
        assert said.is_success, said.text
        return said.json() if said.content else None

    def start(self, name: str, **parameters: Any) -> str:
        body = {"name": name, "idempotency_key": name, "parameters": parameters}
        return str(self.ask("POST", f"/deployments/{self.deployment}/create_flow_run", body)["id"])

    def start_many(self, count: int, **parameters: Any) -> dict[str, str]:
        """Runs, started by four at once, each of them asked for twice. Names → ids."""
        names = [f"run-{uuid.uuid4().hex[:8]}" for _ in range(count)]
        with ThreadPoolExecutor(4) as pool:
            first = list(pool.map(lambda name: self.start(name, **parameters), names))
            assert list(pool.map(lambda name: self.start(name, **parameters), names)) == first
        return dict(zip(names, first, strict=True))

    def state(self, run: str) -> str:
        return str(self.ask("GET", f"/flow_runs/{run}")["state_type"])

    def becomes(self, run: str, *states: str, seconds: float = 300) -> str:
        return until(lambda: self.state(run), lambda seen: seen in states, seconds, pause=0.5,
                     unfinished=lambda seen, _: AssertionError(f"{run} is {seen}, and not {states}"))  # fmt: skip

    def notes(self, names: Any) -> Counter[str]:
        """What runs of these names wrote, and how often."""
        return notes_of(names, self.shop)

    def begun(self, names: Iterable[str]) -> None:
        """Wait until one of these runs is at work."""
        until(lambda: self.notes(names), bool, 300, pause=0.5, unfinished=lambda *_: AssertionError("none has begun"))

    def all_done_once(self, runs: dict[str, str]) -> None:
        for run in runs.values():
            assert self.becomes(run, "COMPLETED", "FAILED", "CRASHED", "CANCELLED") == "COMPLETED"
        assert self.notes(runs) == once_each(runs)

    def whole_again(self) -> None:
        """What was killed runs again."""
        self.files.compose("up", "--detach", "--wait", timeout=600)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole stack, with two workers."""
    image = os.environ.get("SLIPWAY_WORKER_IMAGE", "")
    if not image:
        image = IMAGE
        environment = {**os.environ, "SLIPWAY_WORKER_IMAGE": image}
        subprocess.run(["make", "worker-image"], cwd=CHECKOUT, env=environment, check=True, timeout=900)
    place = tmp_path_factory.mktemp("team")
    files = TeamPlaneFiles(place, image)
    shop = place / "shop"
    shop.chmod(0o777)
    try:
        files.compose("up", "--detach", "--wait", timeout=900)
        yield Stack(files, shop)
    finally:
        files.compose("logs", "--no-color", "services", "api-1", "api-2", "worker")
        files.remove()


def test_it_is_closed_to_a_wrong_login_and_to_none(stack):
    for auth in (("slipway", "wrong"), None):
        assert stack.send("POST", "/flows/count", {}, auth=auth).status_code == httpx.codes.UNAUTHORIZED
    assert stack.ask("POST", "/flows/count", {}) > 20


def test_one_of_two_servers_is_killed_under_load(stack):
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(stack.start_many, 12)
        docker("kill", stack.files.compose("ps", "--quiet", "api-1").strip())
        runs = starting.result(300)
    stack.all_done_once(runs)
    stack.whole_again()


@pytest.mark.parametrize("database", ["redis", "postgres"])
def test_a_database_is_restarted_while_runs_are_on_their_way(stack, database):
    held = stack.start_many(4, hold=True)
    stack.begun(held)
    stack.files.compose("restart", database)
    let_go(held, stack.shop)
    runs = dict(held)
    runs |= stack.start_many(4)
    stack.all_done_once(runs)


def test_a_paused_run_goes_on_after_both_servers_were_restarted(stack):
    name = f"paused-{uuid.uuid4().hex[:8]}"
    run = stack.start(name, pause=True)
    stack.becomes(run, "PAUSED")
    stack.files.compose("restart", "api-1", "api-2", "services")
    stack.whole_again()
    assert stack.state(run) == "PAUSED"
    assert stack.ask("POST", f"/flow_runs/{run}/resume", {})["status"] == "ACCEPT"
    stack.all_done_once({name: run})


def test_a_worker_is_killed_in_the_middle_of_a_run_and_the_other_one_takes_what_comes(stack):
    workers = stack.files.compose("ps", "--quiet", "worker").split()
    assert len(workers) == 2
    name = f"killed-{uuid.uuid4().hex[:8]}"
    run = stack.start(name, hold=True)
    stack.begun([name])
    where = (stack.shop / f"where-{name}").read_text()
    (busy,) = [one for one in workers if one.startswith(where)]
    docker("kill", busy)
    stack.all_done_once(stack.start_many(6))
    # Nobody begins it again: what it left half done is for a person, or for `slipway automations set`.
    assert stack.notes([name]) == Counter({f"{name} began": 1})
    assert stack.state(run) in ("RUNNING", "CRASHED")
    stack.whole_again()
