"""The overview of a destination: what runs where, since when and by whom, what was found of it last, and who waits.

Markdown for the Prefect UI. Every name in it is somebody's, and stays text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flows.core.quotation import link_or_words, literal
from flows.core.records.record import RecordOutcome
from flows.core.results import DropletStatus

_LIGHTS = {RecordOutcome.GOOD: "🟢", RecordOutcome.FAILED: "🔴", RecordOutcome.CANDIDATE: "🟡"}
_COLUMNS = ("droplet", "traffic", "release", "outcome", "services", "since", "by", "run")


@dataclass(frozen=True)
class LastFinding:
    """What was found last of one thing.

    Args:
        what: such as `gates of green`.
        words: what was found.
        at: when, ISO 8601.
        link: of the table that has all of it; '' where there is none.
    """

    what: str
    words: str
    at: str = ""
    link: str = ""


@dataclass(frozen=True)
class AskingRun:
    """A run that waits for a person's answer."""

    name: str
    link: str
    since: str = ""


@dataclass(frozen=True)
class DestinationOverview:
    """All that an overview says.

    Args:
        colours: those that traffic reaches; None: nobody knows. Empty where there is no switch.
        found: what was found last, of gates, of drift, of a promotion.
        asking: the runs that wait for an answer.
        run, link: the run that looked.
    """

    stack: str
    destination: str
    read: str
    droplets: Mapping[str, DropletStatus]
    colours: Sequence[str] | None = ()
    found: Sequence[LastFinding] = ()
    asking: Sequence[AskingRun] = ()
    run: str = ""
    link: str = ""

    @property
    def sentence(self) -> str:
        """It in one sentence, for the list of artifacts."""
        return f"What runs where: {_whole(self.stack, self.destination)}"

    def markdown(self) -> str:
        """The whole page."""
        parts = [f"### {_said(_whole(self.stack, self.destination))}", self._traffic()]
        if self.asking:
            asked = (
                f"- 🟡 {link_or_words(one.name, one.link, cell=False)} waits{_since(one.since)}" for one in self.asking
            )
            parts.append("\n".join(("**A person is asked:**", "", *asked)))
        parts.append(_table(_COLUMNS, (_row(name, said) for name, said in self.droplets.items())))
        if remarks := [line for name, said in self.droplets.items() for line in _remarks(name, said)]:
            parts.append("\n".join(remarks))
        if self.found:
            rows = ((link_or_words(one.what, one.link), _cell(one.words), _time(one.at)) for one in self.found)
            parts.append(_table(("found last", "what", "when"), rows))
        by = f" by {link_or_words(self.run, self.link, cell=False)}" if self.run else ""
        parts.append(f"Read {_time(self.read)}{by}.")
        return "\n\n".join(part for part in parts if part) + "\n"

    def _traffic(self) -> str:
        if self.colours is None:
            return "Where traffic goes is not known."
        return f"Traffic reaches **{_said(', '.join(self.colours))}**." if self.colours else ""


def _row(droplet: str, said: DropletStatus) -> list[str]:
    record = said.record
    return [
        _cell(droplet),
        _part(said),
        _cell(said.release or "none"),
        f"{_LIGHTS.get(record.outcome, '⚪')} {record.outcome.value}" if record else "",
        _services(said),
        _time((record.deployed or record.began) if record else ""),
        _cell(record.run.by if record else ""),
        link_or_words(record.run.name or record.run.id, record.run.url) if record else "",
    ]


def _part(said: DropletStatus) -> str:
    """Its part in traffic."""
    if said.asleep:
        return "⚪ asleep"
    if said.home:
        return "data home"
    words = {True: "🟢 active", False: "⚪ idle", None: ""}[said.active]
    return f"{words} ({said.share} %)" if said.share is not None else words


def _services(said: DropletStatus) -> str:
    if not said.services or said.asleep:
        return ""
    return f"{len(said.services) - len(_unwell(said))} of {len(said.services)} well"


def _unwell(said: DropletStatus) -> list[str]:
    """The services that are not well, each with how it is."""
    if said.asleep:
        return []
    return [
        f"{name}: {one.state}, {one.health}"
        for name, one in sorted(said.services.items())
        if one.health not in ("healthy", "none", "") or not _runs(one.state)
    ]


def _remarks(droplet: str, said: DropletStatus) -> list[str]:
    """What else is to be known of a droplet; Prefect's tables do not wrap, so it stands below them."""
    remarks = _unwell(said)
    if said.trouble:
        remarks.append(f"could not be looked at: {said.trouble}")
    if said.holder:
        remarks.append(f"is being changed: {said.holder}")
    if said.record and said.record.reason:
        remarks.append(said.record.reason)
    return [f"- {_said(droplet)}: {_said(remark)}" for remark in remarks]


def _runs(state: str) -> bool:
    """A one-shot that ended is judged by the run that started it: its exit code is not in a status."""
    return state in ("running", "exited")


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---" for _ in names], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _whole(stack: str, destination: str) -> str:
    return f"{stack} to {destination}" if destination else stack


def _since(time: str) -> str:
    return f" since {_time(time)}" if time else ""


def _time(said: str) -> str:
    """A time for people; what is none is shown as it is."""
    try:
        time = datetime.fromisoformat(said.replace("Z", "+00:00"))
    except ValueError:
        return _cell(said)
    return f"{time.astimezone(UTC) if time.tzinfo else time:%Y-%m-%d %H:%M} UTC"


def _cell(text: str) -> str:
    return literal(text)


def _said(text: str) -> str:
    return literal(text, cell=False)
