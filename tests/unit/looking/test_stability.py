"""`slipway stability` at droplets in directories, an API that answers as Prefect's, and any Prometheus."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from flows.core.insight.stability.report import StabilityReport
from flows.core.records.measurements import Measurements
from flows.core.records.record import Run
from flows.looking.stability import look_at_stability
from flows.settings import Settings
from tests import CHECKOUT
from tests.support.builders import FAILED, record
from tests.support.http_server import Asked, Says, serving
from tests.unit.looking.conftest import SECRET

pytestmark = pytest.mark.unit


def put(world, name: str, *numbers: int, **more) -> None:
    """Records of the last days, beside the one that is there."""
    for number in numbers:
        began = datetime.now(UTC) - timedelta(hours=2 * number)
        at = {"began": began.isoformat(), "deployed": began.isoformat(), "run": Run(id=f"r{number}")}
        told = record(number, f"v{number}", measured=Measurements(agents={"web": True}), **at, **more)
        (world.place / name / "shop/history" / told.file).write_bytes(told.document())


def look(world, **settings) -> StabilityReport:
    return world.ask(look_at_stability, 7, Settings(**settings))


def number(report: StabilityReport, key: str):
    return next(one for one in report.numbers if one.key == key)


def test_the_records_of_all_droplets_are_counted_and_what_is_not_known_is_told(world):
    world.droplet("green")
    world.droplet("blue")
    put(world, "green", 1, 2, 4)
    put(world, "blue", 1)
    report = look(world)
    assert number(report, "rollout_success").count == 4
    assert number(report, "trace_coverage").value == 1.0
    told = " ".join(report.remarks)
    assert "no Prometheus was saved" in told
    assert "green: the time of record 3 cannot be" in told


def test_a_droplet_that_is_away_is_told_and_the_others_are_counted(world):
    world.droplet("green")
    put(world, "green", 1)
    world.save("blue", 1, str(world.place))
    report = look(world)
    assert number(report, "rollout_success").count == 1
    assert any(one.startswith("blue could not be asked, so its records are missing: ") for one in report.remarks)


def test_records_of_another_stack_are_told_and_no_failure(world):
    world.droplet("green")
    (world.place / "green/shop/history/000009.json").write_bytes(
        record(9, "v9").model_copy(update={"stack": "other"}).document()
    )
    assert any("belongs to stack other" in one for one in look(world).remarks)


def answered(asked: Asked) -> Says:
    start, end, step = (float(asked.query[name][0]) for name in ("start", "end", "step"))
    value = (
        "120" if "increase" in asked.query["query"][0] else "0.5" if "histogram" in asked.query["query"][0] else "0.02"
    )
    samples = [[start + step * place, value] for place in range(int((end - start) / step) + 1)]
    return Says(200, {"data": {"result": [{"metric": {}, "values": samples}]}})


def test_prometheus_is_asked_by_the_queries_of_the_gates_for_the_whole_time(world):
    world.droplet("green")
    with serving(answered) as http:
        world.blocks["slipway-prometheus", "prometheus"] = {"url": http.url}
        report = look(world, requests_query='increase(mine{c="$colour"}[$window])')
    assert {asked.path for asked in http.asked} == {"/api/v1/query_range"}
    assert 'increase(mine{c="green"}[300s])' in {asked.query["query"][0] for asked in http.asked}
    rate = number(report, "error_rate")
    assert (rate.value, rate.count, rate.verdict) == (pytest.approx(0.02), 2016 * 120, "fail")
    assert number(report, "latency").value == 0.5


AWAY = {
    "refuses": lambda _: Says(401),
    "no JSON": lambda _: Says(200, b"<html>"),
    "several series": lambda _: Says(200, {"data": {"result": [{"metric": {}, "values": []}] * 2}}),
    "a vector": lambda _: Says(200, {"data": {"result": [{"metric": {}, "value": [1, "2"]}]}}),
}


@pytest.mark.parametrize("answer", AWAY.values(), ids=AWAY)
def test_a_prometheus_that_says_nothing_of_use_is_told_and_no_failure(world, answer):
    world.droplet("green")
    put(world, "green", 1)
    with serving(answer) as http:
        world.blocks["slipway-prometheus", "prometheus"] = {"url": http.url}
        report = look(world)
    assert number(report, "error_rate").value is None
    assert number(report, "error_rate").verdict == "not enough data"
    assert report.remarks[0] == number(report, "error_rate").why != ""
    assert number(report, "rollout_success").count == 1


def test_a_series_that_is_not_there_is_no_data(world):
    world.droplet("green")
    with serving(lambda _: Says(200, {"data": {"result": []}})) as http:
        world.blocks["slipway-prometheus", "prometheus"] = {"url": http.url}
        report = look(world)
    assert (number(report, "error_rate").value, number(report, "error_rate").why) == (
        None, "no requests; 100 would be enough"
    )  # fmt: skip


def test_what_the_environment_holds_is_nowhere_in_the_report(world):
    world.droplet("green")
    put(world, "green", 1, 2, outcome=FAILED, reason=f"NotHealthy: my token is {SECRET}")
    world.blocks["slipway-stack-environment", "shop"] = {"variables": {"TOKEN": SECRET}, "files": {}}
    told = repr(look(world).as_json())
    assert "my token is ••••" in told
    assert SECRET not in told


def test_it_does_not_wait_for_prefect_nor_for_the_plotting_library():
    code = "import sys, flows.looking.stability; sys.exit(bool({'prefect', 'matplotlib', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=False, timeout=60)
    assert done.returncode == 0
