"""Plays one stack twice: released by Slipway on one droplet, run by plain Compose on another; and compares."""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blocks.polling import until
from tests.support.judge.allowed import REFUSED
from tests.support.judge.containers import Container, Place, read_containers, released_place
from tests.support.judge.droplet import script_on
from tests.support.judge.plain import PlainCompose
from tests.support.judge.report import Round
from tests.support.judge.secrets import said_in, search, secrets_of
from tests.support.judge.snapshot import ABSENT, Difference, Snapshot, differences, given_files, take_snapshot
from tests.support.judge.stack import JudgedStack
from tests.support.lab.cli import CliResult, slipway
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.registry_namespace import RegistryNamespace

PATIENCE = 60.0
_SETTLED = ("running", "exited", "healthy", "unhealthy", "dead")


@dataclass
class Play:
    """A stack on both droplets.

    Args:
        view: the stack as it was released.
        told: services that the last release's plan said to be replaced.
    """

    stack: JudgedStack
    checkout: Path
    registry: RegistryNamespace
    settings: dict[str, str]
    plain: PlainCompose
    view: DropletView
    rounds: list[Round] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def first(self) -> Round:
        """Release it and run it; compare."""
        this = self._begin()
        if self._release(this):
            self.plain.put(self.checkout)
            self._run_plain()
            self._compare(this)
        return this

    def second(self) -> Round:
        """Change the source; release it and `git pull && docker compose up -d`; compare, with what was replaced."""
        assert self.stack.change
        before = self.checkout.with_name("before")
        shutil.copytree(self.checkout, before, symlinks=True)
        self.stack.change(self.checkout)
        this = self._begin()
        written = self._snapshots()[0] if self.stack.written else None
        ours, theirs = self._containers()
        if self._release(this):
            self.plain.pull(before, self.checkout)
            self._run_plain()
            self._compare_replaced(this, ours, theirs)
            if written:
                self._compare_kept(this, written)
            for service in self.stack.concerns:  # so that they have the new content too
                self.plain.up("--force-recreate", service)
            self._compare(this)
        return this

    def _begin(self) -> Round:
        self.rounds.append(Round(self.stack.called, len(self.rounds) + 1))
        return self.rounds[-1]

    @property
    def _number(self) -> int:
        return len(self.rounds)

    @property
    def released(self) -> bool:
        """Whether the last round put the stack on both droplets."""
        return bool(self.rounds and self.rounds[-1].containers)

    def _release(self, this: Round) -> bool:
        """Whether it was released; what it is refused with is kept, and on the list."""
        for droplet in (self.view.droplet, self.plain.droplet):
            if self.stack.on_droplet:
                script_on(droplet, f"ROUND={self._number}; {self.stack.on_droplet}")
        said = self._slipway("environment", "set", "--stack", self._given)
        if said.code == 0:
            said = self._slipway("release", "--stack", self._given, "--tag", f"t{self._number}", "--wait", "120")
            self.told = {name for name, becomes in said.plan.items() if becomes == "replaced"}
            self._search(this)
        if said.code == 0:
            if self.stack.refused:
                this.differences.append(f"released, and should be refused with {self.stack.refused}")
            return True
        error = said.errors[0] if said.errors else said.all[-600:]
        kind = error.partition(":")[0]
        if kind == self.stack.refused and kind in REFUSED:
            this.refused = error
        elif not self.stack.refused and self._number == 1 and (unreadable := self._unreadable_by_compose()):
            this.refused = f"Compose cannot read it: {unreadable[-600:]}"
        else:
            this.differences.append(f"not released, exit {said.code}: {error[:600]}")
        return False

    def _unreadable_by_compose(self) -> str:
        self.plain.put(self.checkout)
        return self.plain.unreadable()

    def _search(self, this: Round) -> None:
        """Look for what the environment block holds in all that was published; whether it was well does not count."""
        from blocks import StackEnvironment  # noqa: PLC0415 — after the environment is set
        from flows.tasks.runs.blocks import block_name  # noqa: PLC0415

        held = StackEnvironment.load(block_name(self.stack.project))
        said = (self.stack.project, *said_in(self.checkout))
        secrets = secrets_of(held.values(), held.contents(), said)
        searched = search(self.registry, secrets)
        this.secrets, this.published = len(secrets), searched.bytes
        this.differences += searched.leaks

    @property
    def _given(self) -> str:
        return os.pathsep.join(str(self.checkout / part) for part in self.stack.stack.split(":"))

    def _slipway(self, *words: str) -> CliResult:
        return slipway(*words, **self.settings)

    def _run_plain(self) -> None:
        block = self.registry.block
        login = {"user": block.username, "password": block.password.get_secret_value(), "host": block.host}
        self.plain.tag_images(self._document()["services"], login)
        self.plain.up()

    def _document(self) -> dict[str, dict[str, str]]:
        document: dict[str, dict[str, str]] = json.loads(self.view.sh(f"cat {self.view.home}/current/release.json"))
        return document

    def _released_place(self) -> Place:
        return released_place(self.view.home, os.path.dirname(self._document()["compose_files"][0]))

    def _snapshots(self) -> tuple[Snapshot, Snapshot]:
        given, written, project = given_files(self.plain.config()), self.stack.written, self.stack.project
        return (
            take_snapshot(self.view.droplet, project, self._released_place(), given, written),
            take_snapshot(self.plain.droplet, project, self.plain.place, given, written, as_released=True),
        )

    def _containers(self) -> tuple[dict[str, Container], dict[str, Container]]:
        """Both sides' containers, once none of them is on its way any more."""

        def read() -> tuple[dict[str, Container], dict[str, Container]]:
            services = set(self.plain.config()["services"])
            sides = ((self.view.droplet, self._released_place()), (self.plain.droplet, self.plain.place))
            found = (read_containers(droplet, self.stack.project, place) for droplet, place in sides)
            ours, theirs = ({n: c for n, c in one.items() if c.service in services} for one in found)
            return ours, theirs

        def settled(seen: tuple[dict[str, Container], dict[str, Container]]) -> bool:
            return all(c.state in _SETTLED for side in seen for c in side.values())

        return until(read, settled, PATIENCE, pause=0.3)  # what does not settle is compared as it is

    def _compare(self, this: Round) -> None:
        """Until nothing differs, or what differs stays as it is."""
        before: list[Difference] | None = None
        while True:
            self._containers()
            ours, theirs = self._snapshots()
            found = differences(ours.fields, theirs.fields)
            if not found or found == before:
                break
            before = found
        this.containers, this.fields, this.entries = len(theirs.containers), len(theirs.fields), theirs.entries
        this.differences += map(str, found)

    def _compare_replaced(self, this: Round, ours: dict[str, Container], theirs: dict[str, Container]) -> None:
        """Which containers are others now: those that Compose replaced, and those that were given new content."""
        new_ours, new_theirs = self._containers()
        concerned = with_dependants(self.stack.concerns, self.plain.config()["services"])
        expected = _replaced(theirs, new_theirs) | {n for n, c in new_theirs.items() if c.service in concerned}
        found = _replaced(ours, new_ours)
        this.replaced = ", ".join(sorted(found))
        became = {new_ours[name].service for name in found}
        for name in sorted(became ^ self.told):
            this.differences.append(f"{name}: the plan said that it is {'replaced' if name in self.told else 'kept'}")
        for name in sorted(expected ^ found):
            this.differences.append(str(Difference(f"{name}: replaced", str(name in found), str(name in expected))))

    def _compare_kept(self, this: Round, before: Snapshot) -> None:
        """What services had written before is there after."""
        now = self._snapshots()[0].fields
        for written in (name for name, value in before.fields.items() if value in ("<keeps>", "<grows>")):
            if written not in now:
                this.differences.append(f"{written}: {ABSENT} after the second release")


def with_dependants(names: Iterable[str], services: Mapping[str, Any]) -> set[str]:
    """These services and those that wait for one of them: Compose makes both anew when it replaces the first.

    Args:
        services: as Compose resolves them; a namespace that is shared is among what is waited for.
    """
    found, more = set[str](), set(names)
    while more:
        found |= more
        more = {name for name, spec in services.items() if found & set(spec.get("depends_on") or ())} - found
    return found


def _replaced(before: dict[str, Container], now: dict[str, Container]) -> set[str]:
    return {name for name, container in now.items() if name in before and before[name].id != container.id}
