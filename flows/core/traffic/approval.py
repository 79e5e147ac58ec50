"""The question of an approval: what a person reads before traffic moves."""

from collections.abc import Sequence

from flows.core.deploy.deployed_state import DeployedState
from flows.core.errors import NotPromoted
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.quotation import literal
from flows.core.release.release import Release
from flows.core.traffic.promotion_plan import PromotionPlan

_SHORT = 19  # sha256: and twelve digits
_LIGHTS = {Verdict.PASS: "🟢", Verdict.FAIL: "🔴", Verdict.INCONCLUSIVE: "🟡"}


def approval_question(plan: PromotionPlan, readings: Sequence[GateResult], minutes: float) -> str:
    """The question before a promotion, as Markdown: the plan, and the results of the gates.

    Prefect asks in a narrow dialog whose tables do not wrap: gates that did not pass have lines of their own, too.
    """
    open_ones = [reading for reading in readings if reading.verdict is not Verdict.PASS]
    lines = [
        f"### {plan.sentence}",
        "",
        plan.client_impact,
        "",
        "| service | change | old | new |",
        "| --- | --- | --- | --- |",
        *(f"| {c.service} | {c.kind} | {_digits(c.old)} | {_digits(c.new)} |" for c in plan.changes),
        "",
        f"Environment keys that differ: {_said(', '.join(plan.keys)) or 'none'}.",
        *(f"- {_said(note)}" for note in plan.notes),
        "",
        "| gate | verdict | found | wanted |",
        "| --- | --- | --- | --- |",
        *(f"| {r.gate} | {coloured_verdict(r)} | {literal(r.found)} | {literal(r.wanted)} |" for r in readings),
        "",
        *(f"- {coloured_verdict(r)}: {r.gate}: {_said(r.found)} (wanted: {_said(r.wanted)})" for r in open_ones),
        *([""] if open_ones else []),
        f"No answer within {minutes:g} minutes means no.",
    ]
    return "\n".join(lines)


def must_ask(mode: str, verdict: Verdict, approved: Verdict | None, found: str) -> bool:
    """Whether a person has to be asked. A yes to an inconclusive gate counts; a yes to a pass says nothing of one.

    Args:
        mode: the approval mode: never, inconclusive or always.
        approved: what the gates said when a person said yes; None: nobody did.
        found: the colour, and the gates that did not pass, in words.

    Raises:
        NotPromoted: nobody may be asked.
    """
    if (open_question := verdict is Verdict.INCONCLUSIVE) and mode == "never":
        raise NotPromoted(
            f"the gates of {found}, and approval is never. Have a person asked (--approval inconclusive), or let a "
            "gate only be observed (SLIPWAY_GATE_OBSERVE_ONLY)"
        )
    if approved is None:
        return mode == "always" or open_question
    return open_question and approved is not Verdict.INCONCLUSIVE


def home_question(release: Release, before: DeployedState, minutes: float) -> str:
    """The question before the services on the data home are replaced, as Markdown.

    Args:
        release: the part of it that runs on the data home.
        before: what is deployed there now.
    """
    old = before.release.services if before.release else {}
    lines = [
        f"### Release {release.tag} goes to the data home {before.droplet}"
        + (f", over {before.release.tag}." if before.release else ", where nothing runs yet."),
        "",
        "Both colours use what runs there; while a service restarts, it does not answer. Its volumes stay.",
        "",
        "| service | old | new |",
        "| --- | --- | --- |",
        *(f"| {n} | {_digits(old.get(n, ''))} | {_digits(ref)} |" for n, ref in sorted(release.services.items())),
        "",
        f"No answer within {minutes:g} minutes means no.",
    ]
    return "\n".join(lines)


def coloured_verdict(reading: GateResult) -> str:
    """The verdict with a coloured mark."""
    return f"{_LIGHTS[reading.verdict]} {reading.verdict.value}{' (observed only)' if reading.observed else ''}"


def short_digest(reference: str) -> str:
    """The beginning of the digest, as long as a person can compare."""
    return reference.partition("@")[2][:_SHORT] or "none"


def _digits(reference: str) -> str:
    """The digest without its algorithm, so that old and new fit side by side into that dialog."""
    return short_digest(reference).removeprefix("sha256:")


def _said(text: str) -> str:
    return literal(text, cell=False)
