"""One result of every flow with the function that shows it, with values as long as a test wants them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from blocks.digitalocean.models import DropletInfo
from flows.api.approvals import PersonsAnswer, Waiting
from flows.cli.adoption.command import show_adopted
from flows.cli.approval import show_given_answer, show_waiting_run
from flows.cli.cloud import show_decommissioned, show_provisioned, show_rehearsed, show_snapshot
from flows.cli.debug import show_debug_result
from flows.cli.deploy import show_deployed, show_validated
from flows.cli.insight.differences import show_differences
from flows.cli.insight.story import show_story
from flows.cli.looking.status import show_status
from flows.cli.prune import show_prunable, show_pruned, show_system_pruned
from flows.cli.records import show_history, show_reconciled, show_rolled_back
from flows.cli.registry import show_cleanup
from flows.cli.release import show_published, show_released
from flows.cli.setup.account import show_account_droplets
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.plans import show_plan_of_deploy
from flows.cli.traffic import show_gates, show_plan, show_promoted, show_traffic_moved, show_watched
from flows.cli.trust.summary import provenance_summary
from flows.core.cloud.costs import Cost
from flows.core.cloud.rehearsal import Load, Rehearsed, StepTiming
from flows.core.cloud.results import Decommissioned, Provisioned, SnapshotResult
from flows.core.debug.bundle import DebugResult
from flows.core.debug.diagnosis import Diagnosis
from flows.core.gates.probes import Phase, ProbeResult
from flows.core.gates.verdict import GateResult, Verdict
from flows.core.insight.stability.condition import Stability
from flows.core.prune.removal import Item, Kind, Pruned, Removal
from flows.core.prune.reports import ExpiredReport, ReportKind
from flows.core.prune.system_prune import PrunableObjects, SystemPruned
from flows.core.records.history import History
from flows.core.records.record import Record, RecordOutcome, Run
from flows.core.registry.cleanup import CleanupItem, CleanupPlan, CleanupResult
from flows.core.results import (
    Adopted,
    Deployed,
    DropletStatus,
    GateReport,
    Promoted,
    Published,
    Reconciled,
    Released,
    RolledBack,
    ServiceState,
    TrafficMoved,
    Validated,
    Watched,
)
from flows.core.traffic.promotion_plan import Change, PromotionPlan
from flows.core.trust.bases import BaseImage
from flows.core.trust.origin import ImageOrigin, ListedPackage, RunningImage
from flows.core.trust.provenance import BuildParameters, BuildRun, BuildSource, Provenance
from tests.support.builders import pinned, release
from tests.support.stories import deploy_plan, release_differences, told_story

Show = Callable[[SummaryConsole], None]
COST = Cost("droplet", 0.0357, 24.0)

OLD = ExpiredReport("debug-a.tar.gz", ReportKind.BUNDLE, "older than 90 days")


@dataclass(frozen=True)
class Values:
    """What others name and say, and so how long a cell can become."""

    service: str = "web"
    image: str = pinned("web")
    text: str = "200 ok"
    tag: str = "v1"

    @property
    def words(self) -> tuple[str, str, str, str]:
        """All of them."""
        return self.service, self.image, self.text, self.tag

    @property
    def probes(self) -> tuple[ProbeResult, ...]:
        """One that passed, one that failed, one that nobody could look up."""
        failed = ProbeResult(self.service, Phase.WORKFLOW, False, self.text)
        unknown = ProbeResult(self.service, Phase.TRACE, False, self.text, known=False)
        return (ProbeResult(self.service, Phase.HEALTH, True, self.text), failed, unknown)

    @property
    def states(self) -> dict[str, ServiceState]:
        """A service that is well and one that is not."""
        return {
            self.service: ServiceState(self.image, "running", "healthy"),
            "db": ServiceState(pinned("db"), "running", "unhealthy"),
        }

    @property
    def records(self) -> History:
        """A good release and one that failed."""
        given = {"stack": "shop", "tag": self.tag, "began": "2026-05-04T12:00:00+00:00"}
        failed = Record(number=2, name="failed", outcome=RecordOutcome.FAILED, reason=self.text, **given)
        good = Record(number=1, name="good", outcome=RecordOutcome.GOOD, run=Run(by=self.service), **given)
        return History((good, failed), frozenset({good.name}), good.name, ("000009.json",), 2)

    @property
    def gates(self) -> GateReport:
        """One gate of each verdict, and one that is only observed."""
        readings = [GateResult(f"gate {v.value}", v, self.text, self.text) for v in Verdict]
        observed = GateResult("trace errors", Verdict.INCONCLUSIVE, self.text, self.text, observed=True)
        return GateReport("blue", (*readings, observed), Verdict.FAIL, 12.0, 10.0)

    @property
    def plan(self) -> PromotionPlan:
        """A plan with a change of every kind."""
        changes = (
            Change(self.service, pinned("old", "b"), self.image),
            Change("new", "", self.image),
            Change("gone", self.image, ""),
            Change("same", self.image, self.image),
        )
        ends = ("switch edge", "Nothing is lost.", self.tag, "v0", changes, ("KEY (added)",), (self.text,), "mark")
        return PromotionPlan("shop", "blue", "green", ("blue",), *ends)

    def results(self) -> dict[str, Show]:
        """Name → prints that result on a console."""
        published = Published(release(tag=self.tag, services={self.service: self.image}), "v0", 1.25)
        deployed = Deployed("green", published.release, self.states, (self.image,), 21_000_000, 2.5)
        validated = Validated("green", self.tag, self.probes, 0.5)
        moved = TrafficMoved("blue", "green", self.tag, 0.0, 0.1, 0.2, "http://edge")
        promoted = Promoted(
            "blue",
            "green",
            self.tag,
            0.0,
            0.1,
            0.2,
            "http://edge",
            self.plan,
            self.gates,
            "Ada: yes",
            60.0,
            4,
            "http://ui",
        )
        row = {
            "service": self.service,
            "now": self.text,
            "becomes": "prod/home",
            "keeps": self.text,
            "ports": self.text,
        }
        adopted = Adopted("prod", "shop", self.service, "adopted", self.tag, (row,), (self.text,), 4.2, 60.0)
        back = RolledBack("green", published.release, "v2", self.states, (self.image,), validated, 3.0, 4.0)
        items = (
            Item(Kind.IMAGE, "id", self.image, self.text, size=21_000_000),
            Item(Kind.RELEASE, "id", self.tag, "old"),
        )
        removal = Removal(items, (Item(Kind.CONTAINER, "id", self.service, self.text),), (self.text,))
        prunable = PrunableObjects(containers=((self.service, self.image, self.text),), named=frozenset({"data"}))
        fates = tuple(CleanupItem(self.image, "sha256:a", self.tag, goes, self.text) for goes in (True, False))
        stability = Stability(self.tag, 9.0, 3, 3, 0, 0, ())
        timings = (StepTiming(self.service, 1.5, self.text),)
        diagnoses = (Diagnosis(self.service, (self.text,), ("noted",)), Diagnosis("host"))
        info = DropletInfo(
            1, self.service, "active", "fra1", "s-2vcpu-4gb", 0.04, 24.0, "docker", (self.text,), "vpc",
            "203.0.113.10", "10.0.0.1", False, 80,
        )  # fmt: skip
        waiting = Waiting("id", "promote shop", f"### {self.tag}\n\n| a | b |\n| --- | --- |\n| {self.service} | b |\n")
        answer = PersonsAnswer(decision="approve", name="Ada", reason="looked at it")
        built = Provenance(
            BuildParameters("shop", self.tag, self.service, "main", (self.text,)),
            BuildSource("1e34647a" * 5, "https://git.example.com/shop", dirty=True),
            (BaseImage("debian:13", image_id=f"sha256:{'c' * 64}"), BaseImage(self.image.split("@")[0])),
            BuildRun("http://ui/run", "2026-05-04T12:00:00+00:00", by=self.service, slipway="0.2.0"),
        )
        packages = tuple(ListedPackage("deb", f"{self.service}{i}", "1.0", self.text) for i in range(12))
        running = (RunningImage("green", self.service, self.tag, "2026-05-04T12:00:00+00:00"),)
        repository, _, known = self.image.partition("@")
        origin = ImageOrigin(repository, known, self.text, built, packages, (self.text,), running)
        status = {"green": DropletStatus(True, self.tag, self.states, self.text, self.records.newest, self.text)}
        return {
            "published": partial(show_published, published=published),
            "deployed": partial(show_deployed, deployed=deployed),
            "validated": partial(show_validated, validated=validated),
            "released": partial(
                show_released, released=Released(published, deployed, validated, "http://ui/run", "http://edge")
            ),
            "released and promoted": partial(
                show_released, released=Released(published, None, None, promoted=promoted)
            ),
            "status": partial(show_status, found=status),
            "no status": partial(show_status, found={}),
            "rolled back": partial(show_rolled_back, back=back),
            "reconciled": partial(show_reconciled, found=Reconciled("green", "nothing to do", self.text)),
            "history": partial(show_history, found={"green": self.records, "blue": History()}),
            "pruned": partial(show_pruned, pruned=Pruned("green", "shop", removal, False, (self.text,), 1.0)),
            "would prune": partial(show_pruned, pruned=Pruned("green", "shop", removal, True, (), 1.0, (OLD,))),
            "prunable": partial(show_prunable, droplet="green", prunable=prunable),
            "system pruned": partial(show_system_pruned, pruned=SystemPruned("green", prunable, self.text, 1.0)),
            "debug result": partial(
                show_debug_result, found=DebugResult("shop", "green", diagnoses, Path("reports/a.tgz"), 1500, 2.0)
            ),
            "all well": partial(show_debug_result, found=DebugResult("shop", "green")),
            "plan": partial(show_plan, plan=self.plan),
            "deploy plan": partial(show_plan_of_deploy, plan=deploy_plan(*self.words)),
            "differences": partial(show_differences, found=release_differences(*self.words)),
            "story": partial(show_story, story=told_story(*self.words)),
            "gates": partial(show_gates, found=self.gates),
            "promoted": partial(show_promoted, promoted=promoted),
            "traffic moved": partial(show_traffic_moved, moved=moved),
            "adopted": partial(show_adopted, adopted=adopted),
            "adoption finished": partial(show_adopted, adopted=Adopted("prod", "shop", self.service, "finished")),
            "watched": partial(show_watched, found=Watched("blue", 60.0, 4, 1, 1)),
            "cleanup": partial(
                show_cleanup, result=CleanupResult("registry", CleanupPlan(fates), False, 2, 3_000_000, 20.0, 30.0)
            ),
            "snapshot": partial(show_snapshot, result=SnapshotResult("green", "slipway-1", None, COST, (), 1.0)),
            "provisioned": partial(
                show_provisioned, made=Provisioned("rehearsal", 7, "203.0.113.9", COST, "Docker 28", "key", 60.0)
            ),
            "decommissioned": partial(show_decommissioned, gone=Decommissioned("rehearsal", True, 3.0)),
            "rehearsed": partial(
                show_rehearsed,
                report=Rehearsed(
                    "shop", self.tag, stability, took=timings, load=Load(20, 0, 0.1), deviations=(self.text,)
                ),
            ),
            "account droplets": partial(show_account_droplets, droplets=[info]),
            "provenance": partial(provenance_summary, found=origin),
            "no provenance": partial(provenance_summary, found=ImageOrigin(repository, known)),
            "waiting run": partial(show_waiting_run, waiting=waiting),
            "given answer": partial(show_given_answer, waiting=waiting, answer=answer),
        }
