"""What the gates read: traces of the workflow probes."""

import pytest

from blocks.errors import ProviderFailed
from flows.core.gates.probes import Phase, ProbeResult
from flows.core.gates.trace_gates import Trace
from flows.tasks.gates.measurements import read_traces

pytestmark = pytest.mark.unit


class Langfuse:
    """Holds these traces, and cannot be asked for the others."""

    def __init__(self, **traces):
        self.traces = traces

        self.asked = []

    def observations(self, trace_id, _timeout):
        self.asked.append(trace_id)
        if trace_id not in self.traces:
            raise ProviderFailed("503")
        return self.traces[trace_id]


def workflow(service, trace_id, *, expected=True):
    return ProbeResult(service, Phase.WORKFLOW, True, "", trace_id=trace_id, trace_expected=expected)


def test_each_workflow_has_what_langfuse_holds_of_it():
    langfuse = Langfuse(one=[{"level": "DEFAULT"}, {"level": "ERROR", "name": "ask"}], none=[])
    probed = [workflow("api", "one"), workflow("jobs", "none", expected=False), workflow("bot", "away")]
    assert read_traces.fn(langfuse, probed, 0.0, 1.0) == {
        "api": Trace("one", 2, ("ask",)),
        "jobs": Trace("none", expected=False),
        "bot": Trace("away", trouble="503"),
    }


def test_what_cannot_be_asked_for_is_not_waited_for():
    langfuse = Langfuse()
    assert read_traces.fn(langfuse, [workflow("api", "away")], 60.0, 1.0)["api"].trouble == "503"
    assert langfuse.asked == ["away"]


def test_without_workflows_there_is_nothing_to_look_for():
    assert read_traces.fn(Langfuse(), [], 0.0, 1.0) == {}
