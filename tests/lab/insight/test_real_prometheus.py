"""A week of series in a real Prometheus, with gaps, resets of counters and NaN: what is made of its answers.

The series are written by `promtool` as blocks, as any backfill is; each number is worked out once more from what was
written, and from the raw answers.
"""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from blocks.polling import until
from blocks.prometheus_api import PrometheusServer
from flows.core.insight.stability.condition import StabilityLimits
from flows.core.insight.stability.report import StabilitySources, stability_report
from flows.core.insight.stability.requests import RequestHistory
from flows.core.records.history import History
from flows.core.records.measurements import Measurements, Turn
from flows.core.records.record import Record, RecordOutcome, Run
from flows.settings import Settings
from flows.tasks.insight.sources import ask_requests
from tests.support.lab.lab import LAB, LABELS, STATE

pytestmark = pytest.mark.lab
DAY, HOUR, SCRAPE = 86400, 3600, 120
UNTIL = int(time.time()) // HOUR * HOUR
BEGIN = UNTIL - 7 * DAY
# Requests a second, and the share of them that fails: as long as all is well, and for an hour after a bad release.
RATE, WELL, ILL = 2.0, 0.002, 0.05
BAD_RELEASE = BEGIN + 3 * DAY
RESET = BEGIN + 1 * DAY + 1800
GAP = (BEGIN + 2 * DAY, BEGIN + 2 * DAY + 3 * HOUR)
NOT_A_NUMBER = (BEGIN + 5 * DAY, BEGIN + 5 * DAY + HOUR)
COLOURS = {"green": ("green",), "blue": ("blue",)}


def share(at: int) -> float:
    return ILL if BAD_RELEASE <= at < BAD_RELEASE + HOUR else WELL


def week() -> str:
    """The series of green as OpenMetrics; blue has none. Clients also asked for what is nobody's request."""
    series = {
        'http_requests_total{colour="green",path="/orders",status="200"}': lambda at: RATE * (1 - share(at)),
        'http_requests_total{colour="green",path="/orders",status="500"}': lambda at: RATE * share(at),
        'http_requests_total{colour="green",path="/health",status="500"}': lambda _: 50.0,
        'http_request_duration_seconds_bucket{colour="green",path="/orders",le="0.1"}': lambda _: RATE * 0.9,
        'http_request_duration_seconds_bucket{colour="green",path="/orders",le="0.5"}': lambda _: RATE,
        'http_request_duration_seconds_bucket{colour="green",path="/orders",le="+Inf"}': lambda _: RATE,
    }
    lines = ["# TYPE http_requests counter", "# TYPE http_request_duration_seconds histogram"]
    found: dict[str, list[str]] = {"http_requests_total": [], "http_request_duration_seconds_bucket": []}
    for name, rate in series.items():
        count = 0.0
        for at in range(BEGIN - 600, UNTIL + SCRAPE, SCRAPE):
            count = 0.0 if at == RESET else count + rate(at - SCRAPE) * SCRAPE
            if GAP[0] <= at < GAP[1]:
                continue
            value = "NaN" if NOT_A_NUMBER[0] <= at < NOT_A_NUMBER[1] and "/orders" in name else f"{count:.6f}"
            found[name.partition("{")[0]].append(f"{name} {value} {at}")
    return "\n".join([lines[0], *found["http_requests_total"], lines[1],
                      *found["http_request_duration_seconds_bucket"], "# EOF", ""])  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A Prometheus that has the week, and what was made of its answers."""

    url: str
    requests: RequestHistory


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    name = f"{LAB}-week-{uuid4().hex[:8]}"
    labels = [word for label in LABELS for word in ("--label", label)]
    script = (
        "set -e; cat > /tmp/week.om; promtool tsdb create-blocks-from openmetrics /tmp/week.om /tmp/data >&2; "
        "printf 'scrape_configs: []\\n' > /tmp/none.yml; exec prometheus --config.file=/tmp/none.yml "
        "--storage.tsdb.path=/tmp/data --storage.tsdb.retention.time=60d"
    )
    process = subprocess.Popen(
        [STATE / "bin/docker", "run", "--rm", "--interactive", "--name", name, *labels, "--publish", "127.0.0.1::9090",
         f"{LAB}-prometheus", "sh", "-c", script],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdin
        process.stdin.write(week().encode())
        process.stdin.close()
        url = f"http://{until(lambda: published(name), bool, 60, pause=0.2, unfinished=silent)}"
        until(lambda: ready(url), bool, 60, pause=0.2, unfinished=silent)
        yield Asked(url, ask_requests(PrometheusServer(url), "shop", COLOURS, Settings(), moment(BEGIN), moment(UNTIL)))
    finally:
        subprocess.run([STATE / "bin/docker", "rm", "--force", name], capture_output=True, check=False, timeout=60)
        process.wait(30)


def silent(*_: object) -> AssertionError:
    return AssertionError("the Prometheus of the test does not start")


def published(name: str) -> str:
    done = subprocess.run([STATE / "bin/docker", "port", name, "9090"], capture_output=True, check=False, timeout=30)
    return done.stdout.decode().splitlines()[0].strip() if done.returncode == 0 and done.stdout.strip() else ""


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


@pytest.fixture(scope="module")
def report(asked):
    def record(number: int, at: int) -> Record:
        turn = Turn(colour="green", previous="green", at=moment(at).isoformat())
        return Record(number=number, stack="shop", tag=f"v{number}", name=f"v{number}.0", outcome=RecordOutcome.GOOD,
                      began=moment(at - 60).isoformat(), deployed=moment(at).isoformat(), run=Run(id=f"r{number}"),
                      measured=Measurements(turn=turn))  # fmt: skip

    records = (record(1, BEGIN + DAY), record(2, BAD_RELEASE), record(3, BEGIN + 6 * DAY))
    histories = {"green": History(records, frozenset(), "v3.0")}
    sources = StabilitySources(histories, {"green": "green"}.get, asked.requests, ("green",), switched=True)
    return stability_report("shop", "", sources, days=7, now=moment(UNTIL), limits=StabilityLimits(7, 0.9, 0, 0),
                            thresholds=Settings().stability_thresholds)  # fmt: skip


def number(report, key):
    return next(one for one in report.numbers if one.key == key)


def known_windows() -> list[int]:
    """The ends of the windows of which something is known, by what was written."""
    return [
        end for end in range(BEGIN + 300, UNTIL + 1, 300)
        if not GAP[0] < end <= GAP[1] + 300 and not NOT_A_NUMBER[0] <= end < NOT_A_NUMBER[1] + 300
    ]  # fmt: skip


def test_resets_gaps_and_nan_change_no_number_of_what_is_known(report):
    rate = number(report, "error_rate")
    windows = known_windows()
    failed = sum(RATE * 300 * share(end - 300) for end in windows)
    assert rate.count == pytest.approx(RATE * 300 * len(windows), rel=0.01)
    assert rate.value == pytest.approx(failed / (RATE * 300 * len(windows)), rel=0.03)
    assert number(report, "latency").value == pytest.approx(0.1 + 0.4 * 0.5, rel=0.02)


def test_the_number_is_that_of_the_raw_answers(asked, report):
    def raw(query: str) -> dict[float, float]:
        given = {"query": query, "start": BEGIN + 300, "end": UNTIL, "step": 300}
        said = httpx.get(f"{asked.url}/api/v1/query_range", params=given, timeout=30, trust_env=False).json()
        return {at: float(value) for at, value in said["data"]["result"][0]["values"]}

    counts, rates = raw(asked.requests.queries[0]), raw(asked.requests.queries[1])
    known = {at: (counts[at], rates[at]) for at in counts if counts[at] > 0 and rates[at] == rates[at]}
    total = sum(count for count, _ in known.values())
    assert len(known) < len(counts) or len(counts) < 2016
    assert number(report, "error_rate").value == pytest.approx(sum(c * r for c, r in known.values()) / total)


def test_the_gap_is_a_gap_and_what_is_no_number_is_no_data(report):
    hours = {round((one.at - BEGIN) / HOUR): one for one in report.course}
    assert not {48 + 1, 120} & hours.keys()
    assert len(hours) >= 7 * 24 - 4


def test_a_release_that_made_it_worse_is_the_one_that_is_marked(report):
    assert [one.rollout for one in report.changes if one.worse] == ["green-2"]
    bad = next(one for one in report.changes if one.worse)
    assert bad.error_rate == (pytest.approx(WELL, rel=0.05), pytest.approx(ILL, rel=0.05))


def test_a_colour_without_series_is_no_data_and_no_failure(asked):
    assert asked.requests.trouble == ""
    assert asked.requests.colours["blue"].requests == ()


def test_the_hour_of_the_reset_counts_as_any_other(report):
    hours = [one for one in report.course if RESET - HOUR <= one.at <= RESET]
    assert hours
    for one in hours:
        assert one.requests == pytest.approx(RATE * HOUR, rel=0.05)
