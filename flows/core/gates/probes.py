"""Probes: one check of one service each, and how its response is judged."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from flows.core.quotation import quoted_line
from flows.core.stack.extension import McpProbe, WorkflowProbe

_WORDS = 160
# As MCP servers, Django and Rails say that they do not know a host.
_REFUSED = re.compile(r"\b(400|403|421)\b")
_HOST = re.compile(r"host|misdirected", re.IGNORECASE)


class Phase(Enum):
    """The phases of a validation, in their order."""

    HEALTH = "health"
    MCP = "MCP tools"
    WORKFLOW = "workflow"
    TRACE = "trace"


@dataclass(frozen=True)
class ProbeResult:
    """The result of one probe.

    Args:
        seconds: the time of the response that was judged.
        tools: the MCP tools offered.
        expected: the MCP tools that the stack itself lists.
        known: False where the result is inconclusive: a provider could not be asked, or a trace did not come that
            nobody could expect. That is a warning, and not an application that failed.
        traced: whether a workflow's trace is looked for.
        trace_expected: whether it is a failure when none comes.
        container: the container's name where the service has several.
    """

    service: str
    phase: Phase
    passed: bool
    detail: str
    seconds: float = 0.0
    trace_id: str = ""
    tools: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    known: bool = True
    traced: bool = True
    trace_expected: bool = True
    container: str = ""

    @property
    def name(self) -> str:
        """What was probed: the service, or which container of it."""
        return self.container or self.service

    @property
    def failed(self) -> bool:
        """Whether it did not pass, and the result is conclusive."""
        return self.known and not self.passed

    @property
    def mark(self) -> str:
        """✓ passed, ✗ failed, ? inconclusive."""
        return "✓" if self.passed else "✗" if self.known else "?"


def judge_health(status: int, body: str, show: Callable[[str], str] = str) -> tuple[bool, str]:
    """Judge a health probe: any 2xx passes. The field `status` of a JSON response is shown.

    Args:
        show: masks what must not be seen; before anything is cut short, for half a secret is known to no mask.
    """
    said = _json(body)
    named = isinstance(said, Mapping) and "status" in said
    words = f"{status} {_short(show(str(said['status'])))}" if named else str(status)
    return 200 <= status < 300, words if 200 <= status < 300 else f"{words}: {_short(show(body))}"


def host_refused(words: str, host: str) -> str:
    """What to add to the words of a failed probe when it looks as if the service refused the Host header."""
    refused = _REFUSED.search(words)
    if not refused or not _HOST.search(words, refused.end()):
        return ""
    return f" (asked as {host}; to be asked as another: x-slipway.host)"


def judge_tools(probe: McpProbe, tools: Sequence[str]) -> tuple[bool, str]:
    """Judge tool discovery: enough tools, and every expected one."""
    missing = [name for name in probe.tools if name not in tools]
    sample = ", ".join(sorted(tools)[:4]) + (", …" if len(tools) > 4 else "")
    words = f"{len(tools)} tools: {sample}" if tools else "no tools"
    if missing:
        return False, f"{words}; missing: {', '.join(missing)}"
    if len(tools) < probe.minimum:
        return False, f"{words}; at least {probe.minimum} are expected"
    return True, words


def judge_workflow(probe: WorkflowProbe, status: int, body: str, show: Callable[[str], str] = str) -> tuple[bool, str]:
    """Judge a workflow: 2xx JSON with a value in the field `expect`.

    False and 0 are values; null and empty ones are not.

    Args:
        show: as `judge_health` takes it.
    """
    call = f"{probe.method} {probe.path}"
    if not 200 <= status < 300:
        return False, f"{call}: {status}: {_short(show(body))}"
    answer = _json(body)
    if answer is None:
        return False, f"{call}: {status}, but no JSON: {_short(show(body))}"
    value = _dig(answer, probe.expect)
    if value is None or value in ("", [], {}):
        return False, f"{call}: {status}, but `{probe.expect}` is {'missing' if value is None else 'empty'}"
    return True, f"{call}: {probe.expect} = {_short(show(json.dumps(value)), 40)}"


def judge_trace(count: int, waited: float, expected: bool = True) -> tuple[bool, str]:
    """Judge a trace: one observation is enough.

    Args:
        waited: seconds it was looked for.
        expected: whether it is a failure when none comes.
    """
    if count:
        return True, f"{count} observations"
    words = f"no observation of this trace after {waited:.0f} s"
    if expected:
        return False, words
    return False, f"{words}; x-slipway has no `traced: true`, and the last good release is not on record as traced"


def trace_result(workflow: ProbeResult, count: int, waited: float, trouble: str = "") -> ProbeResult:
    """The result of looking for the trace of a workflow that passed.

    Args:
        count: observations that were found.
        waited: seconds it was looked for.
        trouble: why Langfuse could not be asked.
    """
    passed, words = judge_trace(count, waited, workflow.trace_expected)
    known = not trouble and (passed or workflow.trace_expected)
    return ProbeResult(workflow.service, Phase.TRACE, passed, trouble or words, waited, workflow.trace_id, known=known)


def traced_services(outcomes: Iterable[ProbeResult], before: Collection[str]) -> tuple[str, ...]:
    """Services whose workflow left a trace, for the record of a release that is judged good.

    Args:
        before: those of the last good release. They stay where no trace could be looked for.
    """
    found = list(outcomes)
    looked = {o.service: o.passed for o in found if o.phase is Phase.TRACE and o.known}
    probed = {o.service for o in found if o.phase is Phase.WORKFLOW and o.traced}
    return tuple(sorted(service for service in probed if looked.get(service, service in before)))


def all_passed(outcomes: Iterable[ProbeResult]) -> bool:
    """Whether no probe failed. An inconclusive one did not fail."""
    return not any(outcome.failed for outcome in outcomes)


def traceparent(trace_id: str) -> str:
    """The W3C `traceparent` header that starts this trace (https://www.w3.org/TR/trace-context/)."""
    return f"00-{trace_id}-{trace_id[16:]}-01"


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _dig(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _short(text: str, width: int = _WORDS) -> str:
    return quoted_line(text, width)
