"""Answers to runs that wait for a person, given through the Prefect API."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterName,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from pydantic import ValidationError

from blocks.polling import until
from flows.core.errors import BadAnswer, NothingToApprove
from flows.tasks.traffic.approval import ApprovalAnswer

_PATIENCE, _PAUSE = 15.0, 0.2


@dataclass(frozen=True)
class Waiting:
    """A run that waits for an answer; its question is Markdown."""

    id: UUID
    name: str
    question: str


def find_waiting(run: str | None) -> Waiting:
    """The run that waits for an answer.

    Args:
        run: its name or id; None: the only one that waits.

    Raises:
        NothingToApprove: none waits, several do, or the one named does not.
    """
    paused = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=paused))
        if run is not None:
            named = [one for one in found if run in (one.name, str(one.id))]
            if not named:
                raise NothingToApprove(
                    f"{run} does not wait for an answer{_ended(client, run)}. {_list_waiting(found)}"
                )
            found = named
        if len(found) != 1:
            raise NothingToApprove(_list_waiting(found))
        mine = found[0]
        return Waiting(mine.id, mine.name, _question(client, mine))


def give(waiting: Waiting, decision: str, name: str, reason: str) -> tuple[Waiting, ApprovalAnswer]:
    """Answer a run that waits, and check that the answer was taken.

    Raises:
        BadAnswer: a name or a reason is missing.
        NothingToApprove: somebody else answered meanwhile, or its time was over.
    """
    try:
        answer = ApprovalAnswer(decision=decision, name=name, reason=reason)
    except ValidationError as error:
        wrong = ", ".join(str(fault["loc"][0]) for fault in error.errors())
        raise BadAnswer(f"the answer needs a name and a reason (wrong: {wrong}): --name NAME --reason WORDS") from None
    with get_client(sync_client=True) as client:
        before = client.read_flow_run(waiting.id)
        result = client.resume_flow_run(waiting.id, run_input=answer.model_dump())
        if result.status.value != "ACCEPT":
            raise NothingToApprove(
                f"{waiting.name} took no answer any more: {getattr(result.details, 'reason', None) or 'it went on'}. "
                "Who answered what is in its artifacts"
            )
        until(
            lambda: client.read_flow_run(waiting.id).state,
            lambda state: state and before.state and state.id != before.state.id,
            _PATIENCE,
            pause=_PAUSE,
            unfinished=lambda *_: BadAnswer(
                f"the Prefect server did not take this answer for {waiting.name}; it still waits"
            ),
        )
    return waiting, answer


def _question(client: Any, run: Any) -> str:
    """The question as the run asked it: the description of its input's schema, which the server keeps as JSON."""
    keyset = (run.state.state_details.run_input_keyset or {}) if run.state else {}
    try:
        return str(json.loads(client.read_flow_run_input(run.id, keyset["description"])))
    except Exception:
        return ""


def _ended(client: Any, run: str) -> str:
    """What became of a run that does not wait."""
    try:
        which = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(run)]))
    except ValueError:
        which = FlowRunFilter(name=FlowRunFilterName(any_=[run]))
    found = client.read_flow_runs(flow_run_filter=which)
    return f": it is {found[0].state.name.lower()}" if found and found[0].state else ""


def _list_waiting(found: list[Any]) -> str:
    if not found:
        return "No run waits for an answer"
    return "These wait: " + ", ".join(f"'{one.name}' ({one.id})" for one in found)
