"""Approval by a person: a run pauses until it is answered in the Prefect UI, by the API or by `slipway approve`."""

import shlex
from typing import Literal, get_args

from prefect import runtime
from prefect.artifacts import create_markdown_artifact
from prefect.context import FlowRunContext
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput
from prefect.logging import get_run_logger
from pydantic import ConfigDict, Field, ValidationError

from flows.core.control.events import APPROVAL_ANSWERED, APPROVAL_WAITING
from flows.core.errors import NotApproved
from flows.settings import Approval, Settings
from flows.tasks.runs.events import emit
from flows.tasks.runs.log_masking import mask

_POLL = 1
# The server checks an answer by the model's JSON schema alone, which knows nothing of stripped blanks.
_SAYS_SOMETHING = r"\S"


class ApprovalAnswer(RunInput):
    """A person's answer. `hold` leaves everything as it is and asks again, with the time starting anew."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    decision: Literal["approve", "reject", "hold"] = Field(description="approve, reject, or hold: ask again")
    name: str = Field(min_length=1, pattern=_SAYS_SOMETHING, description="Who says so.")
    reason: str = Field(min_length=1, pattern=_SAYS_SOMETHING, description="Why, for whoever reads this later.")

    @property
    def words(self) -> str:
        return f"{self.name}: {self.reason}"


def approval_mode(wanted: Approval | None, settings: Settings) -> Approval:
    """When a person is asked: as it is wanted, else as the setting says.

    A run that somebody created through the API has its parameters from them, and its settings from the operator: of
    the two it takes the stricter. In a terminal both are the operator's. A run that another one starts in its own
    process belongs to no deployment, and does as it is told.
    """
    run = FlowRunContext.get()
    if wanted is None:
        return settings.approval
    if run is None or run.flow_run is None or run.flow_run.deployment_id is None:
        return wanted
    return max(wanted, settings.approval, key=get_args(Approval).index)


def ask_for_approval(question: str, what: str, timeout: float, *, stack: str = "", tag: str = "") -> ApprovalAnswer:
    """Pause the run with a question until somebody says approve; no lock is held meanwhile.

    Args:
        question: Markdown.
        what: what it is about, in words.
        timeout: seconds for each answer.
        stack, tag: what it is about, for the event; '' where it is about no release.

    Raises:
        NotApproved: a person said no, or nobody answered in time.
    """
    log = get_run_logger()
    run = runtime.flow_run.name
    shown = mask(question)
    create_markdown_artifact(shown, key="approval", description=f"Asked: {what}")
    asked = 0
    while True:
        log.warning("waiting for an answer (%g s at most): slipway approve %s", timeout, shlex.quote(run or ""))
        emit(APPROVAL_WAITING, stack=stack, tag=tag, reason=what)
        try:
            answer = pause_flow_run(
                wait_for_input=ApprovalAnswer.with_initial_data(description=shown),
                timeout=round(timeout),
                poll_interval=_POLL,
                key=f"approval-{asked}",
            )
        except FlowPauseTimeout:
            raise NotApproved(
                f"{what}: nobody answered within {timeout:g} s, which means no. Nothing was moved. Ask again: run the "
                "same command again"
            ) from None
        except ValidationError:
            log.warning("an answer came that cannot be read; asking again")
            asked += 1
            continue
        log.info("%s by %s", answer.decision, mask(answer.words))
        said = {"verdict": answer.decision, "by": answer.name, "reason": answer.reason}
        emit(APPROVAL_ANSWERED, stack=stack, tag=tag, **said)
        create_markdown_artifact(
            f"**{answer.decision}** by {mask(answer.words)}\n\n{shown}",
            key="approval",
            description=f"Answered: {what}",
        )
        if answer.decision == "approve":
            return answer
        if answer.decision == "reject":
            raise NotApproved(f"{what}: rejected by {mask(answer.words)}. Nothing was moved")
        asked += 1
