"""The worker type `fork` is Prefect's process worker in everything but how a process begins."""

import asyncio
import json
import tomllib
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound
from prefect.runner import _starter_engine
from prefect.runner._workspace_starter import WorkspaceResolvingEngineCommandStarter
from prefect.settings import PREFECT_WORKER_QUERY_SECONDS, temporary_settings
from prefect.utilities.dispatch import lookup_type
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker

from flows.core.errors import ConflictingOptions
from flows.worker import pool
from flows.worker.fork_worker import ForkingStarter, ForkWorker
from flows.worker.pool import CLOSED_TEMPLATE, ensure_pool
from tests import CHECKOUT

pytestmark = pytest.mark.unit


class Control:
    """A control channel that gives every run the same port and token."""

    def register(self, flow_run):
        return 4321, "token"

    def unregister(self, flow_run):
        pass


class Asked(Exception):
    """Instead of a process."""


@pytest.mark.parametrize("stream_output", [True, False])
def test_a_run_has_the_environment_directory_and_output_that_prefects_worker_gives_it(
    monkeypatch, tmp_path, stream_output
):
    run = FlowRun(id=uuid4(), flow_id=uuid4())
    env = {"MINE": "1", "GONE": None, "PREFECT_LOGGING_LEVEL": "ERROR", "PREFECT__DEPLOYMENT_NAME": "release"}
    seen = []

    async def process(command, *, stream_output, env, cwd, start_new_session, **_):
        seen.append((command[1:-1], stream_output, env, str(cwd), start_new_session))
        raise Asked

    class Template:
        async def fork(self, request):
            seen.append((["-m", request.module], not request.quiet, request.env, request.cwd, True))
            raise Asked

    monkeypatch.setattr(_starter_engine, "run_process", process)
    monkeypatch.setenv("OF_THE_WORKER", "2")
    theirs = WorkspaceResolvingEngineCommandStarter(
        workspace_root=tmp_path, source_cwd=tmp_path, environment=env, stream_output=stream_output,
        control_channel=Control(),
    )  # fmt: skip
    configuration = ProcessJobConfiguration(env=env, stream_output=stream_output)
    ours = ForkingStarter(Template(), configuration, tmp_path, Control())
    with temporary_settings({PREFECT_WORKER_QUERY_SECONDS: 7}):
        for starter in (theirs, ours):
            with pytest.raises(Asked):
                asyncio.run(starter.start(run))
            starter.close()
    assert seen[0] == seen[1]
    assert {"MINE", "OF_THE_WORKER", "PREFECT__CONTROL_TOKEN", "PREFECT_WORKER_QUERY_SECONDS"} <= seen[1][2].keys()
    assert "GONE" not in seen[1][2]


def test_prefect_finds_the_type_by_the_entry_point():
    group = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["entry-points"]["prefect.collections"]
    for name, value in group.items():
        EntryPoint(name, value, "prefect.collections").load()
    assert lookup_type(BaseWorker, "fork") is ForkWorker


@pytest.mark.parametrize(("chosen", "seconds"), [({}, 2), ({PREFECT_WORKER_QUERY_SECONDS: 9}, 9)])
def test_it_looks_for_runs_every_other_second_unless_another_time_is_set(monkeypatch, chosen, seconds):
    seen = []

    async def start(self, **_):
        seen.append(PREFECT_WORKER_QUERY_SECONDS.value())

    monkeypatch.setattr(ProcessWorker, "start", start)
    with temporary_settings(chosen):
        asyncio.run(_started())
    assert seen == [seconds]


async def _started():
    await ForkWorker("any-pool").start()


def test_of_what_a_run_brings_a_pool_that_the_command_makes_makes_nothing():
    assert json.loads((CHECKOUT / "work-pool.json").read_text()) == CLOSED_TEMPLATE


class Server:
    """A Prefect client that knows one pool, or none."""

    def __init__(self, kind="", taken=False):
        self.kind, self.taken, self.made = kind, taken, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read_work_pool(self, name):
        if not self.kind:
            raise ObjectNotFound(Exception())
        return SimpleNamespace(type=self.kind)

    def create_work_pool(self, made):
        if self.taken:
            raise ObjectAlreadyExists(Exception())
        self.made.append((made.name, made.type, made.base_job_template))


@pytest.mark.parametrize(
    ("server", "made"),
    [
        (Server(), [("mine", "fork", CLOSED_TEMPLATE)]),
        (Server(taken=True), []),
        (Server("process"), []),
        (Server("fork"), []),
    ],
)
def test_the_pool_is_made_once_and_one_that_is_there_stays_as_it_is(monkeypatch, server, made):
    monkeypatch.setattr(pool, "get_client", lambda **_: server)
    assert ensure_pool("mine", "fork") == bool(made)
    assert server.made == made


@pytest.mark.parametrize(
    ("there", "kind", "start"),
    [("docker", "fork", "slipway worker --type docker"), ("kubernetes", "process", "prefect worker start"),
     ("fork", "docker", "prefect worker start")],
)  # fmt: skip
def test_a_pool_whose_runs_are_for_another_kind_of_worker_is_refused(monkeypatch, there, kind, start):
    monkeypatch.setattr(pool, "get_client", lambda **_: Server(there))
    with pytest.raises(ConflictingOptions, match=f"{start} --pool mine"):
        ensure_pool("mine", kind)


def test_a_docker_pool_is_made_as_the_command_says(monkeypatch):
    server = Server()
    monkeypatch.setattr(pool, "get_client", lambda **_: server)
    wanted = pool.Containers("image:1", networks=("net",))
    assert ensure_pool("mine", "docker", wanted)
    assert server.made == [("mine", "docker", pool.docker_template(wanted))]
