"""Runs that wait for a person, by Prefect's API: which there are, what they ask, and an answer for one.

Source: https://docs.prefect.io/v3/api-ref/rest-api
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, Field

from blocks.errors import PrefectFailed
from blocks.polling import until
from flows.api.answers import read_list, read_model
from flows.api.client import PrefectApi
from flows.core.errors import BadAnswer, NothingToApprove

_PATIENCE, _PAUSE = 15.0, 0.2
_MOST = 200


@dataclass(frozen=True)
class Waiting:
    """A run that waits for an answer; its question is Markdown."""

    id: UUID
    name: str
    question: str


@dataclass(frozen=True)
class PersonsAnswer:
    """What a person says to a run that waits: approve, reject or hold, who says so, and why."""

    decision: str
    name: str
    reason: str

    @property
    def words(self) -> str:
        return f"{self.name}: {self.reason}"


class _Details(BaseModel):
    run_input_keyset: dict[str, str] | None = None


class _State(BaseModel):
    id: UUID
    name: str
    state_details: _Details = Field(default_factory=_Details)


class _Run(BaseModel):
    id: UUID
    name: str
    state: _State | None = None


class _Resumed(BaseModel):
    class Details(BaseModel):
        reason: str | None = None

    status: str
    details: Details = Field(default_factory=Details)


def list_waiting(api: PrefectApi) -> list[Waiting]:
    """Every run that waits for an answer, with its question. Raises what the API's client raises."""
    return [_with_question(api, run) for run in _runs(api, {"state": {"type": {"any_": ["PAUSED"]}}})]


def find_waiting(api: PrefectApi, run: str | None) -> Waiting:
    """The run that waits for an answer.

    Args:
        run: its name or id; None: the only one that waits.

    Raises:
        NothingToApprove: none waits, several do, or the one named does not.
        and what the API's client raises.
    """
    found = _runs(api, {"state": {"type": {"any_": ["PAUSED"]}}})
    if run is not None:
        named = [one for one in found if run in (one.name, str(one.id))]
        if not named:
            raise NothingToApprove(f"{run} does not wait for an answer{_ended(api, run)}. {_words(found)}")
        found = named
    if len(found) != 1:
        raise NothingToApprove(_words(found))
    return _with_question(api, found[0])


def give_answer(api: PrefectApi, waiting: Waiting, decision: str, name: str, reason: str) -> PersonsAnswer:
    """Answer a run that waits, and check that the answer was taken.

    Args:
        decision: approve, reject or hold.

    Raises:
        BadAnswer: a name or a reason is missing, or the server did not take it.
        NothingToApprove: somebody else answered meanwhile, or its time was over.
        and what the API's client raises.
    """
    answer = PersonsAnswer(decision, name.strip(), reason.strip())
    if wrong := [word for word in ("name", "reason") if not getattr(answer, word)]:
        raise BadAnswer(f"the answer needs a name and a reason (wrong: {', '.join(wrong)}): --name NAME --reason WORDS")
    before = _state(api, waiting)
    said = api.post(f"/flow_runs/{waiting.id}/resume", {"run_input": asdict(answer)})
    result = read_model(_Resumed, said, api) if said is not None else _Resumed(status="none")
    if result.status != "ACCEPT":
        raise NothingToApprove(
            f"{waiting.name} took no answer any more: {result.details.reason or 'it went on'}. "
            "Who answered what is in its artifacts"
        )
    until(
        lambda: _state(api, waiting),
        lambda state: state != before,
        _PATIENCE,
        pause=_PAUSE,
        unfinished=lambda *_: BadAnswer(
            f"the Prefect server did not take this answer for {waiting.name}; it still waits"
        ),
    )
    return answer


def _state(api: PrefectApi, waiting: Waiting) -> UUID | None:
    said = api.get(f"/flow_runs/{waiting.id}")
    run = read_model(_Run, said, api) if said is not None else None
    return run.state.id if run and run.state else None


def _with_question(api: PrefectApi, run: _Run) -> Waiting:
    """The run with its question: the description of its input's schema, which the server keeps as JSON."""
    key = (run.state.state_details.run_input_keyset or {}).get("description") if run.state else None
    try:
        said = api.get(f"/flow_runs/{run.id}/input/{quote(key, safe='')}") if key else None
    except PrefectFailed:
        said = None
    return Waiting(run.id, run.name, said if isinstance(said, str) else "")


def _ended(api: PrefectApi, run: str) -> str:
    """What became of a run that does not wait."""
    try:
        which: dict[str, Any] = {"id": {"any_": [str(UUID(run))]}}
    except ValueError:
        which = {"name": {"any_": [run]}}
    found = _runs(api, which)
    return f": it is {found[0].state.name.lower()}" if found and found[0].state else ""


def _runs(api: PrefectApi, which: dict[str, Any]) -> list[_Run]:
    said = api.post("/flow_runs/filter", {"flow_runs": which, "sort": "START_TIME_DESC", "limit": _MOST})
    return [read_model(_Run, one, api) for one in read_list(said, api)]


def _words(found: Sequence[_Run]) -> str:
    if not found:
        return "No run waits for an answer"
    return "These wait: " + ", ".join(f"'{one.name}' ({one.id})" for one in found)
