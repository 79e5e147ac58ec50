"""The scenarios of the fault suite, one set for each process that runs tests, and the table of what was survived."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults.harness.blue_green import BlueGreenScenario
from tests.faults.harness.blue_green_setup import open_blue_green_scenario
from tests.faults.harness.fault_report import Case, Results
from tests.faults.harness.one_droplet_setup import open_one_droplet
from tests.faults.harness.sample import APART, ONE_DROPLET, WORKER_TYPES, sampled
from tests.faults.harness.scenario import DropletScenario, open_droplet_scenario
from tests.faults.harness.slipway_process import warm_up
from tests.faults.harness.worker_run import worker_of_an_open_pool
from tests.support.lab.lab import STATE, find_lab, use_settings
from tests.support.lab.lab_stack import lab_registry
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images

use_settings()
COLOURS = ("blue", "green")
PROPERTY = "fault"
CASE, WELL = pytest.StashKey[Case](), pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def number() -> int:
    """Which of the processes that run tests side by side this is: names and droplets go by it."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1


@pytest.fixture(scope="session")
def registry(number: int) -> Iterator[RegistryNamespace]:
    """A namespace of the lab's registry for this process."""
    find_lab()
    warm_up()
    with (STATE / "run" / f"faults-{number}.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # a second run of the suite would use the same names
        registry = lab_registry(f"test-faults-{number}")
        with ExitStack() as closing:
            for tidy in (partial(remove_build_images, f"/{registry.namespace}"), registry.empty):
                tidy()  # what a killed run left
                closing.callback(tidy)
            yield registry


@pytest.fixture(scope="session")
def open_scenario(
    number: int, registry: RegistryNamespace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DropletScenario]:
    """A stack on one of the lab's droplets."""
    colour = COLOURS[number % len(COLOURS)]
    with open_droplet_scenario(number, colour, registry, tmp_path_factory.mktemp("scenario")) as scenario:
        yield scenario


@pytest.fixture(scope="session")
def open_pair(
    number: int, registry: RegistryNamespace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BlueGreenScenario]:
    """A pair of colours on the lab's droplets, with an edge of its own."""
    with open_blue_green_scenario(number, registry, tmp_path_factory.mktemp("pair")) as pair:
        yield pair


@pytest.fixture(scope="session")
def open_shared(
    number: int, registry: RegistryNamespace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BlueGreenScenario]:
    """A pair of colours on a droplet of its own, which has the edge and the data home, too."""
    with open_one_droplet(number, registry, tmp_path_factory.mktemp("shared")) as pair:
        yield pair


@pytest.fixture(scope="session", params=WORKER_TYPES)
def open_pool(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """The pool of a worker whose runs may carry faults."""
    with worker_of_an_open_pool(tmp_path_factory.mktemp("worker") / "log", request.param) as pool:
        yield pool


@pytest.fixture
def scenario(open_scenario: DropletScenario, case: Case, request: pytest.FixtureRequest) -> Iterator[DropletScenario]:
    """The scenario of this case, which is made ready for the next one afterwards."""
    open_scenario.case = case
    yield open_scenario
    open_scenario.clear(failed=not request.node.stash.get(WELL, False))


@pytest.fixture(params=[APART, ONE_DROPLET])
def pair(case: Case, request: pytest.FixtureRequest) -> Iterator[BlueGreenScenario]:
    """The pair of this case, which is made ready for the next one afterwards: each case is played on two droplets and
    on one."""
    yield from _played("open_pair" if request.param == APART else "open_shared", case, request)


@pytest.fixture
def shared(case: Case, request: pytest.FixtureRequest) -> Iterator[BlueGreenScenario]:
    """The pair on one droplet, for a case that means nothing on two."""
    yield from _played("open_shared", case, request)


def _played(opener: str, case: Case, request: pytest.FixtureRequest) -> Iterator[BlueGreenScenario]:
    pair: BlueGreenScenario = request.getfixturevalue(opener)
    pair.case = case
    yield pair
    pair.clear(failed=not request.node.stash.get(WELL, False))


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    """The row of this case."""
    return request.node.stash.setdefault(CASE, Case(test=request.node.nodeid, fault=request.node.name))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Cases on pairs come last. Of the points at which a fault can strike a sample is taken, unless all are wanted or
    a test was asked for by its name."""
    items.sort(key=lambda item: bool({"pair", "shared"} & set(getattr(item, "fixturenames", ()))))
    if os.environ.get("SLIPWAY_FAULTS") == "all" or any("::" in word for word in config.args):
        return
    chosen = sampled(items)
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call":
        item.stash[WELL] = report.passed
    if CASE in item.stash and (report.when == "call" or report.failed):
        row = {**asdict(item.stash[CASE]), "result": report.outcome, "seconds": report.duration}
        report.user_properties.append((PROPERTY, row))
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show the table, and keep it. The rows come with the reports, from whatever process they were made in."""
    reports = [report for outcome in ("passed", "failed", "error") for report in terminalreporter.getreports(outcome)]
    rows = [given for report in reports for name, given in report.user_properties if name == PROPERTY]
    if not rows:
        return
    results = Results([Case(**row) for row in rows])
    terminalreporter.section("faults survived")
    for line in [*results.lines(), results.summary()]:
        terminalreporter.write_line(line)
    results.write(Path(os.environ.get("SLIPWAY_REPORTS") or "reports"))
