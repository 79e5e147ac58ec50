"""docs/OBSERVABILITY.md, the rules and the dashboard name the metrics that there are, and every one of them."""

import re

import pytest

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
