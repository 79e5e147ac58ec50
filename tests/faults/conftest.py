"""The scenarios of the fault suite, cases that run side by side, and the table of what was survived."""

import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.faults.harness.blue_green import BlueGreenScenario
from tests.faults.harness.blue_green_setup import open_blue_green_scenario
from tests.faults.harness.fault_report import Case, Results
from tests.faults.harness.scenario import DropletScenario, open_droplet_scenario
from tests.faults.harness.scenario_pool import PATIENCE, ScenarioPool
from tests.faults.harness.slipway_process import warm_up
from tests.support.lab.lab import STATE, find_lab
from tests.support.lab.lab_stack import lab_registry
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images

COLOURS = ("blue", "green", "blue")
PAIRS = 3
SAMPLE = 3
KINDS = ("scenario", "pair")
CASE, RESULTS = pytest.StashKey[Case](), pytest.StashKey[Results]()
RUNNING = pytest.StashKey[Future[None]]()


@pytest.fixture(scope="session")
def registry() -> Iterator[RegistryNamespace]:
    """A namespace of the lab's registry that the whole suite shares."""
    find_lab()
    warm_up()
    with (STATE / "run" / "faults.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)  # a second run of the suite would use the same names
        registry = lab_registry("test-faults")
        with ExitStack() as closing:
            for tidy in (partial(remove_build_images, f"/{registry.namespace}"), registry.empty):
                tidy()  # what a killed run left
                closing.callback(tidy)
            yield registry


@pytest.fixture(scope="session")
def pool(registry: RegistryNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScenarioPool]:
    """Scenarios on the lab's droplets, and the threads that run cases in them."""

    def opener(number: int, colour: str) -> Callable[[], Any]:
        return partial(open_droplet_scenario, number, colour, registry, tmp_path_factory.mktemp(f"scenario-{number}"))

    with ScenarioPool([opener(number, colour) for number, colour in enumerate(COLOURS, 1)]) as pool:
        yield pool


@pytest.fixture
def scenario(pool: ScenarioPool) -> DropletScenario:
    """The scenario of this case. The case is run by the pool: see `pytest_pyfunc_call`."""
    return pool  # type: ignore[return-value]


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    """The row of this case, for one that has neither a scenario nor a pair."""
    return _case(request.node)


@pytest.fixture(scope="session")
def pairs(registry: RegistryNamespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScenarioPool]:
    """Pairs of colours on the lab's droplets, each with an edge of its own, and the threads that run cases on them."""

    def opener(number: int) -> Callable[[], Any]:
        return partial(open_blue_green_scenario, number, registry, tmp_path_factory.mktemp(f"pair-{number}"))

    with ScenarioPool([opener(number) for number in range(1, PAIRS + 1)]) as pool:
        yield pool


@pytest.fixture
def pair(pairs: ScenarioPool) -> BlueGreenScenario:
    """The pair of this case, which is run as those in a scenario are."""
    return pairs  # type: ignore[return-value]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Cases at DigitalOcean come first, and those on pairs last: several pools at a time would be too many. Of the
    points at which a fault can strike, a third is taken unless all are wanted: another third for each fault, so that
    every point has its turn."""
    items.sort(key=_turn)
    if os.environ.get("SLIPWAY_FAULTS") == "all" or any("::" in word for word in config.args):
        return
    left = [item for item in items if not sampled(item, items)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def _turn(item: pytest.Item) -> int:
    """Which turn an item has: before the pools, or with which of them."""
    return 0 if "swept" in getattr(item, "fixturenames", ()) else 2 if _kind(item) == "pair" else 1


def sampled(item: pytest.Item, items: list[pytest.Item]) -> bool:
    """Whether this item is in the sample: it has no point, or every third one is its own."""
    if not _strikes(item):
        return True
    faults = list(dict.fromkeys(other.originalname for other in items if _strikes(other)))
    mine = [other for other in items if _strikes(other) and other.originalname == item.originalname]
    return mine.index(item) % SAMPLE == faults.index(item.originalname) % SAMPLE


def _strikes(item: pytest.Item) -> bool:
    """Whether the test is given a point of a run, or a delay in it."""
    return isinstance(item, pytest.Function) and bool({"point", "delay"} & set(item.fixturenames))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """A test that asks for a scenario gets the first one that is free. With the first such test, all the others of this
    run are put in line, so that several run at a time; each test then reports on its own."""
    kind = _kind(pyfuncitem)
    if kind is None:
        return None
    pool = pyfuncitem.funcargs[kind]
    for item in pyfuncitem.session.items:
        if isinstance(item, pytest.Function) and _kind(item) == kind and RUNNING not in item.stash:
            given = item.callspec.params if hasattr(item, "callspec") else {}
            item.stash[RUNNING] = pool.begin(_case(item), partial(_run, item.obj, kind, given))
    pyfuncitem.stash[RUNNING].result(PATIENCE)
    return True


def _kind(item: pytest.Item) -> str | None:
    """What a test runs in, if it does."""
    return next((name for name in KINDS if name in getattr(item, "fixturenames", ())), None)


def _run(test: Callable[..., None], kind: str, given: dict[str, Any], scenario: object) -> None:
    test(**{kind: scenario}, **given)


def _case(item: pytest.Item) -> Case:
    if CASE not in item.stash:
        item.stash[CASE] = Case(test=item.nodeid, fault=item.name)
    return item.stash[CASE]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RESULTS] = Results()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if item.get_closest_marker("faults") and (report.when == "call" or report.failed):
        case = _case(item)
        case.result = report.outcome
        case.seconds = case.seconds or report.duration
        if case not in item.config.stash[RESULTS].cases:
            item.config.stash[RESULTS].cases.append(case)
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    results = config.stash[RESULTS]
    if not results.cases:
        return
    terminalreporter.section("faults survived")
    for line in [*results.lines(), results.summary()]:
        terminalreporter.write_line(line)
    results.write(Path(os.environ.get("SLIPWAY_REPORTS") or "reports"))
