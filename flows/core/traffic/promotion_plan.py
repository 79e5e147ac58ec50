"""The plan of a promotion: old and new digest of each service, and environment keys that differ, never values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flows.core.deploy.deployed_state import DeployedState
from flows.core.droplet.places import split_place
from flows.core.errors import NothingDeployed
from flows.core.release.role import refuse_release
from flows.core.stack.side_by_side.refusals import side_by_side_notes
from flows.core.stack.state import refuse_undeclared
from flows.core.traffic.canary import canary_sentence


@dataclass(frozen=True)
class Change:
    """The change of one service: its image on the active colour, and its image after the promotion."""

    service: str
    old: str
    new: str

    @property
    def kind(self) -> str:
        if not self.old:
            return "new"
        if not self.new:
            return "gone"
        return "same" if self.old == self.new else "changed"


@dataclass(frozen=True)
class PromotionPlan:
    """The plan of a promotion, as a person approves it.

    Args:
        to, left: the colour that traffic goes to, and the one it leaves ('' for none).
        target: the droplets of the new colour.
        switch, client_impact: the traffic switch, and what clients see while it turns.
        keys: environment keys that differ, each with how.
        notes: what else is worth knowing before saying yes.
        mark: changes whenever any of the droplets carries something else.
        digest: of the release as it was published, where that was verified.
        site: what the edge of the droplet is told to serve then; '' where traffic is switched elsewhere.
    """

    stack: str
    to: str
    left: str
    target: tuple[str, ...]
    switch: str
    client_impact: str
    tag: str
    old_tag: str
    changes: tuple[Change, ...]
    keys: tuple[str, ...]
    notes: tuple[str, ...]
    mark: str
    site: str = ""
    digest: str = ""

    @property
    def sentence(self) -> str:
        """The plan in one sentence."""
        away = f", away from {self.old_tag} on {self.left}" if self.left else ""
        return f"Traffic of {self.switch} goes to release {self.tag} on {self.to} ({', '.join(self.target)}){away}."

    def with_canary(self, stands: str, steps: Sequence[int], seconds: float) -> "PromotionPlan":
        """The plan with a note of what share of the clients goes ahead.

        Args:
            stands: the share that goes elsewhere now, in words; '' for none.
        """
        ahead = canary_sentence(steps, seconds)
        notes = [f"a canary stands now: {stands}; another promotion takes it back first"] if stands else []
        return replace(self, notes=(*self.notes, *notes, *([ahead] if ahead else ())))


def plan_promotion(
    stack: str,
    to: str,
    left: str | None,
    new: Sequence[DeployedState],
    old: Sequence[DeployedState],
    switch: str,
    client_impact: str,
) -> PromotionPlan:
    """Plan a promotion by the deployed states of both colours.

    Args:
        new, old: every droplet of the colour to promote, and of the active one ([] when it cannot be looked at).

    Raises:
        NothingDeployed: a droplet of the new colour carries no release, or they do not carry the same one.
    """
    candidate = one_release(stack, to, new)
    assert candidate.release is not None
    before = next((state for state in old if state.release), None)
    digests = dict(before.release.services) if before and before.release else {}
    services = candidate.release.services
    changes = [Change(n, digests.get(n, ""), services.get(n, "")) for n in sorted({*services, *digests})]
    return PromotionPlan(
        stack,
        to,
        left or "",
        tuple(state.droplet for state in new),
        switch,
        client_impact,
        candidate.release.tag,
        before.release.tag if before and before.release else "",
        tuple(changes),
        tuple(differing(before.environment, candidate.environment)) if before else (),
        tuple(_notes(candidate, before, left)),
        "\n".join(state.mark for state in (*new, *old)),
        digest=record.verified.digest if (record := candidate.record) and record.verified else "",
    )


def one_release(stack: str, colour: str, states: Sequence[DeployedState]) -> DeployedState:
    """The deployed state that all droplets of a colour share: the same release and environment.

    Raises:
        NothingDeployed
    """
    for state in states:
        if state.release is None or state.record is None:
            raise NothingDeployed(
                f"droplet {state.droplet} of the colour {colour} carries no release of stack {stack}. "
                f"Put one there: slipway deploy --tag TAG --droplet {state.droplet}, or: slipway promote --tag TAG"
            )
    names = {s.record.name: s for s in states if s.record}
    if len(names) > 1:
        said = "; ".join(f"{s.droplet}: {s.record.tag}" for s in states if s.record)
        raise NothingDeployed(
            f"the droplets of the colour {colour} carry different releases or environments ({said}). "
            "Give them the same one: slipway promote --tag TAG"
        )
    return states[0]


def differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """The environment keys that differ, each with how; values are hashes here and never shown."""
    words = {}
    for name in {*old, *new}:
        if old.get(name) != new.get(name):
            words[name] = "added" if name not in old else "removed" if name not in new else "changed"
    return [f"{name} ({how})" for name, how in sorted(words.items())]


def _notes(candidate: DeployedState, before: DeployedState | None, left: str | None) -> list[str]:
    notes = []
    if left and before is None:
        notes.append(f"the state of {left} could not be read, so traffic cannot be moved back to it")
    if before and not differing(before.environment, candidate.environment) and _hash(before) != _hash(candidate):
        notes.append("env files or secret files differ; their lines are not compared")
    if candidate.release and candidate.release.side_by_side and split_place(candidate.droplet)[1]:
        notes += side_by_side_notes(candidate.release.side_by_side)
    if candidate.stack:
        notes += [
            f"{name} keeps state of its own on each colour (x-slipway.data: per-colour)"
            for name, service in sorted(candidate.stack.services.items())
            if service.extension.data == "per-colour"
        ]
    return notes


def _hash(state: DeployedState) -> str:
    return state.record.environment if state.record else ""


def refuse_undeclared_states(states: Sequence[DeployedState], home: str) -> None:
    """Refuse a colour whose stack does not say where its services keep their state.

    Args:
        home: name of the data home's Droplet block; '' where there is none.

    Raises:
        StateUndeclared
    """
    for state in states:
        if state.stack and state.release:
            refuse_undeclared(state.stack, home, state.nameless)
            refuse_release(state.release, home)
