"""No sequence of releases, failures, rollbacks and prunes removes what a kept release needs, or anything not ours."""

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flows.core.prune.inventory import ContainerEntry, Inventory, LocalImage
from flows.core.prune.plan import plan_removal
from flows.core.prune.removal import Kind, Removal
from flows.core.records.history import History
from flows.core.records.record import Record, RecordOutcome
from flows.core.records.retention import kept_names
from tests.support.prune_builders import STACK, container, document, image, reference

pytestmark = pytest.mark.unit

LETTERS = "abcde"
STEPS = ["recorded", "pulled", "put", "switched", "started", "judged"]
services = st.sets(st.sampled_from(LETTERS), min_size=1, max_size=3)
letter = st.sampled_from(LETTERS)


class Droplet(RuleBasedStateMachine):
    """A droplet as its own bookkeeping: what each step of a release, and what people, leave on it."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []
        self.last = 0
        self.standing: dict[str, str] = {}
        self.made_of: dict[str, frozenset[str]] = {}
        self.images: dict[str, LocalImage] = {}
        self.containers: dict[str, ContainerEntry] = {}
        self.current = ""
        self.damaged: tuple[str, ...] = ()
        self.incoming: tuple[str, ...] = ()

    def history(self) -> History:
        return History(tuple(self.records), frozenset(self.standing), self.current, self.damaged, self.last)

    def inventory(self) -> Inventory:
        return Inventory(
            STACK,
            tuple(self.containers.values()),
            True,
            tuple(self.images.values()),
            dict(self.standing),
            self.incoming,
        )

    def put(self, name: str, kind: str, outcome: RecordOutcome, last: str) -> None:
        """Put a release on the droplet; the run ends after the step `last`."""
        self.records = [r.model_copy(update={"outcome": RecordOutcome.FAILED}) if r.open else r for r in self.records]
        self.last += 1
        record = Record(number=self.last, stack=STACK, kind=kind, tag=name[0], name=name)
        self.records.append(record)
        done = STEPS[: STEPS.index(last) + 1]
        if "pulled" in done:
            self.images |= {image(n).id: image(n) for n in self.made_of[name] if image(n).id not in self.images}
            self.incoming = (name,)
        if "put" in done:
            self.standing.setdefault(name, document(name[0], *self.made_of[name]))
        if "switched" in done:
            self.current, self.incoming = name, ()
        if "started" in done:
            self.start(name)
        if "judged" in done:
            self.records[-1] = record.model_copy(update={"outcome": outcome})

    def start(self, name: str) -> None:
        mine = {n: container(n) for n in self.made_of[name]}
        others = {i: c for i, c in self.containers.items() if c.one_off != "False" or c.project != STACK}
        self.containers = others | {c.id: c for c in mine.values()}

    @rule(
        made_of=services,
        outcome=st.sampled_from([RecordOutcome.GOOD, RecordOutcome.GOOD, RecordOutcome.FAILED]),
        last=st.sampled_from(STEPS),
    )
    def release(self, made_of: set[str], outcome: RecordOutcome, last: str) -> None:
        name = f"v{self.last}.{self.last:016x}"
        self.made_of[name] = frozenset(made_of)
        self.put(name, "deploy", outcome, last)

    @rule(made_of=services)
    def release_well(self, made_of: set[str]) -> None:
        self.release(made_of, RecordOutcome.GOOD, "judged")

    @precondition(lambda self: self.history().good())
    @rule(data=st.data(), kind=st.sampled_from(["deploy", "rollback"]), last=st.sampled_from(STEPS))
    def put_an_earlier_one_back(self, data: st.DataObject, kind: str, last: str) -> None:
        target = data.draw(st.sampled_from(self.history().good()))
        left = self.records[-1]
        if kind == "rollback" and left.name != target.name:
            self.records[-1] = left.model_copy(update={"outcome": RecordOutcome.ROLLED_BACK})
        self.put(target.name, kind, RecordOutcome.GOOD, last)

    @rule(which=letter, project=st.sampled_from(["", "other"]))
    def somebody_has_an_image(self, which: str, project: str) -> None:
        self.images[f"foreign-{which}"] = image(which, id=f"foreign-{which}", project=project)

    @rule(which=letter)
    def somebody_builds_an_image_of_the_stack(self, which: str) -> None:
        self.images[f"built-{which}"] = image(which, id=f"built-{which}", digests=())

    @rule(which=letter, project=st.sampled_from(["", "other", STACK]), state=st.sampled_from(["running", "exited"]))
    def somebody_runs_an_image(self, which: str, project: str, state: str) -> None:
        """A `docker run` has the labels of its image, and none of Compose's own."""
        if image(which).id in self.images:
            by_hand = container(which, id=f"by-hand-{which}", project=project, one_off="", number="", state=state)
            self.containers[by_hand.id] = by_hand

    @rule(which=letter, state=st.sampled_from(["running", "exited"]))
    def compose_runs_something_once(self, which: str, state: str) -> None:
        if image(which).id in self.images:
            self.containers[f"run-{which}"] = container(which, id=f"run-{which}", one_off="True", state=state)

    @rule(which=letter, state=st.sampled_from(["created", "exited", "running"]))
    def a_start_is_interrupted(self, which: str, state: str) -> None:
        if f"id-{which}" in self.containers:
            self.containers[f"half-{which}"] = container(
                which, id=f"half-{which}", name=f"0_shop-{which}", state="created"
            )
            self.containers[f"id-{which}"] = replace(self.containers[f"id-{which}"], state=state)

    @rule(which=letter)
    def somebody_removes_an_image(self, which: str) -> None:
        if not any(c.image == image(which).id for c in self.containers.values()):
            self.images.pop(image(which).id, None)

    @precondition(lambda self: self.standing)
    @rule(data=st.data(), text=st.sampled_from(["", "{", "gone"]))
    def a_release_document_is_damaged(self, data: st.DataObject, text: str) -> None:
        self.standing[data.draw(st.sampled_from(sorted(self.standing)))] = text

    @precondition(lambda self: len(self.records) > 3 and not self.damaged)
    @rule(data=st.data())
    def a_record_is_damaged(self, data: st.DataObject) -> None:
        record = self.records[data.draw(st.integers(0, len(self.records) - 2))]
        self.records.remove(record)
        self.damaged = (record.file,)

    @rule(keep=st.integers(1, 3))
    def prune(self, keep: int) -> None:
        self.apply(plan_removal(self.inventory(), self.history(), keep))
        assert plan_removal(self.inventory(), self.history(), keep).goes == ()

    @invariant()
    def what_would_go_is_needed_by_nobody(self) -> None:
        for keep in (1, 3):
            history = self.history()
            self.check(plan_removal(self.inventory(), history, keep), self.needed(keep))
            if history.good() and not history.damaged:
                assert len(kept_names(history, keep)) <= keep + 2

    def needed(self, keep: int) -> set[str]:
        """What must stay, told from the records alone: the newest good ones, the one that runs, the candidate."""
        good: list[str] = []
        judged: set[str] = set()
        for record in reversed(self.records):
            if record.name not in judged and record.outcome in (RecordOutcome.GOOD, RecordOutcome.ROLLED_BACK):
                judged.add(record.name)
                good += [record.name] if record.outcome is RecordOutcome.GOOD and record.name in self.standing else []
        candidate = [record.name for record in self.records[-1:] if record.open]
        return {name for name in (*good[:keep], self.current, *candidate) if name in self.standing}

    def check(self, removal: Removal, needed: set[str]) -> None:
        going = {kind: {item.id for item in removal.of(kind)} for kind in Kind}
        assert not needed & going[Kind.RELEASE]
        assert not self.damaged or not going[Kind.RELEASE]
        digests = {reference(n) for name in needed for n in self.made_of[name]}
        left = {i: c for i, c in self.containers.items() if i not in going[Kind.CONTAINER]}
        for item in removal.of(Kind.IMAGE):
            assert self.images[item.id].project == STACK
            assert self.images[item.id].digests
            assert not digests & set(item.references)
            assert item.id not in {c.image for c in left.values()}
        for item in removal.of(Kind.CONTAINER):
            mine = self.containers[item.id]
            assert mine.project == STACK
            assert mine.one_off
            assert mine.stopped or (mine.one_off == "False" and mine.service[-1] not in self.made_of[self.current])
        if self.current:
            served = {c.service for c in self.containers.values() if c.one_off == "False" and c.project == STACK}
            still = {c.service for c in left.values() if c.one_off == "False" and c.project == STACK}
            assert {f"service-{n}" for n in self.made_of[self.current]} & served <= still

    def apply(self, removal: Removal) -> None:
        for item in removal.goes:
            {
                Kind.RELEASE: self.standing, Kind.CONTAINER: self.containers, Kind.IMAGE: self.images,
            }.get(item.kind, {}).pop(item.id, None)  # fmt: skip
        self.incoming = ()


TestDroplet = Droplet.TestCase
