"""docs/OBSERVABILITY.md, the rules and the dashboard name the metrics that there are, and every one of them."""

import json
import re

import pytest
import yaml

from flows.core.control.alerts import read_alerts
from flows.core.control.events import ALERT_FIRING
from flows.core.insight.metrics.families import COUNTERS, GAUGES, HISTOGRAMS, SUMMARIES, WHERE
from tests import CHECKOUT

pytestmark = pytest.mark.unit
PAGE = (CHECKOUT / "docs/OBSERVABILITY.md").read_text()
RULES = CHECKOUT / "compose/observability"
KINDS = (
    ("gauge", GAUGES, ""),
    ("counter", COUNTERS, "_total"),
    ("summary", SUMMARIES, ""),
    ("histogram", HISTOGRAMS, ""),
)
SERIES = {"slipway_build_info", *GAUGES, *(f"{name}_total" for name in COUNTERS),
          *(f"{name}{end}" for name in (*SUMMARIES, *HISTOGRAMS) for end in ("_sum", "_count")),
          *(f"{name}_bucket" for name in HISTOGRAMS)}  # fmt: skip


def test_the_page_has_a_row_for_each_with_its_labels_and_its_meaning():
    for kind, known, end in KINDS:
        for name, (labels, means) in known.items():
            further = ", ".join(f"`{label}`" for label in labels if label not in WHERE)
            assert f"| `{name}{end}` | {kind} | {further} | {means} |" in PAGE
    rows = set(re.findall(r"^\| `(slipway_\w+)` \|", PAGE, re.MULTILINE))
    assert rows == {f"{name}{end}" for _, known, end in KINDS for name in known} | {"slipway_build_info"}


@pytest.mark.parametrize("file", sorted(RULES.iterdir()), ids=lambda file: file.name)
def test_rules_and_dashboard_name_no_other(file):
    text = file.read_text()
    assert set(re.findall(r"\bslipway_\w+", text)) <= SERIES
    recorded = set(re.findall(r"record: (\S+)", (RULES / "recording.yml").read_text()))
    assert set(re.findall(r"\bslipway:[\w:]+", text)) <= recorded


def test_each_alert_becomes_an_event_that_says_what_it_is_about_and_starts_no_run_by_itself():
    groups = yaml.safe_load((RULES / "alerts.yml").read_text())["groups"]
    alerts = [rule for group in groups for rule in group["rules"]]
    assert len(alerts) >= 14
    for rule in alerts:
        labels = {"alertname": rule["alert"], "stack": "shop", "droplet": "green", "colour": "green", **rule["labels"]}
        alert = {"status": "firing", "labels": labels, "annotations": rule["annotations"]}
        (event,) = read_alerts(json.dumps({"version": "4", "alerts": [alert]}).encode(), "other")
        assert event.kind is ALERT_FIRING
        assert (event.payload.stack, event.payload.droplet, event.payload.colour) == ("shop", "green", "green")
        assert (event.payload.alert, event.payload.reason) == (rule["alert"], rule["annotations"]["summary"])
        assert event.payload.action == ""
        assert rule["annotations"]["description"]
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
