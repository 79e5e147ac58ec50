"""Metrics, rules and dashboard, judged by Prometheus' own tools, and by a Prometheus that has scraped."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

from blocks.polling import until
from tests import CHECKOUT
from tests.lab.observability.conftest import RULES, Prometheus, Tools
from tests.lab.observability.made import Ill

pytestmark = pytest.mark.lab
DASHBOARD = json.loads((RULES / "dashboard.json").read_text())


def test_promtool_has_nothing_to_say_of_the_metrics(rules: Tools):
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Ill())
    assert rules.promtool("check", "metrics", given=generate_latest(registry).decode()) == ""
    assert list(read_openmetrics(exposition.generate_latest(registry).decode()))


def test_promtool_takes_the_rules_the_configuration_and_passes_their_tests(rules: Tools):
    assert "SUCCESS" in rules.promtool("check", "config", "prometheus.yml")
    assert "SUCCESS" in rules.promtool("check", "rules", "recording.yml", "alerts.yml")
    rules.promtool("test", "rules", "alerts.test.yml", "week.test.yml")


def test_once_prints_what_promtool_takes_of_the_droplets_of_the_lab(rules: Tools):
    words = [sys.executable, "-m", "flows.cli", "metrics", "--once"]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, timeout=240, check=True)
    assert 'slipway_droplet_up{destination="",droplet="green",' in done.stdout
    assert rules.promtool("check", "metrics", given=done.stdout) == ""


def rule_queries() -> Iterator[str]:
    for name in ("recording.yml", "alerts.yml"):
        for group in yaml.safe_load((RULES / name).read_text())["groups"]:
            yield from (rule["expr"] for rule in group["rules"])


def dashboard_queries() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (one["expr"] for one in DASHBOARD["annotations"]["list"])
    for variable in DASHBOARD["templating"]["list"]:
        if said := re.fullmatch(
            r"label_values\((.+), \w+\)", variable["query"]["query"] if variable["type"] == "query" else ""
        ):
            yield said[1]


def test_every_query_of_rules_and_dashboard_finds_something(prometheus: Prometheus):
    known = {"$stack": ".*", "$destination": ".*", "$droplet": ".*", "$__rate_interval": "1h"}
    queries = [re.sub(r"\$\w+", lambda found: known[found[0]], one) for one in (*rule_queries(), *dashboard_queries())]
    assert len(queries) > 50
    wanted = [query for query in queries if not query.startswith("absent(")]
    until(
        lambda: [query for query in wanted if not prometheus.series(query)], lambda empty: not empty, 90, pause=1,
        unfinished=lambda empty, _: AssertionError(f"these find nothing: {empty}"),
    )  # fmt: skip
    assert prometheus.series("absent(slipway_build_info)") == []


def test_a_week_is_counted_as_the_records_say(prometheus: Prometheus):
    """21 releases: 3 failed at once, 2 were undone; what increase() makes of it differs by less than one."""
    of_shop = '{stack="shop",destination="production"'
    wanted = [f"slipway:{name}{of_shop}}}" for name in ("release_success:ratio7d", "pull_seconds:p95_7d")]
    found = until(
        lambda: [prometheus.series(query) for query in wanted], all, 60, pause=1,
        unfinished=lambda *_: AssertionError("nothing was recorded"),
    )  # fmt: skip
    success, pulls = (float(series[0]["value"][1]) for series in found)
    assert success == pytest.approx(18 / 21, abs=0.06)
    assert 5 < pulls <= 10
    (now,) = prometheus.series(f'slipway_releases_total{of_shop},outcome="good"}}')
    assert now["value"][1] == "18"


def test_the_command_is_scraped_and_knows_the_lab(prometheus: Prometheus):
    until(
        lambda: prometheus.series('slipway_droplet_up{job="lab",droplet="green"} == 1'), bool, 60, pause=1,
        unfinished=lambda *_: AssertionError("green is not up"),
    )  # fmt: skip
    assert prometheus.series('up{job="lab"} == 1')
