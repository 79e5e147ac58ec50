"""The plan of a deploy, the differences of two releases and the story of one, with words as long as a test wants."""

from flows.core.deploy.plan.changes import ServiceChange
from flows.core.deploy.plan.plan import DeployPlan, PlannedPull
from flows.core.insight.comparison.contents import ReleaseContents
from flows.core.insight.comparison.differences import (
    NamedDifference,
    ReleaseDifferences,
    ServiceDifference,
)
from flows.core.insight.story.story import ReleaseStory, placements_of, release_story
from flows.core.insight.story.timeline import RunTimeline, Span
from flows.core.records.measurements import GateNumbers, Measurements, ProbeTime, Pull, Turn
from flows.core.records.record import Run
from tests.support.builders import FAILED, GOOD, image, past, pinned, record, release

BEGAN, READY = "2026-05-04T12:00:00+00:00", "2026-05-04T12:00:30+00:00"


def deploy_plan(service: str, reference: str, text: str, tag: str) -> DeployPlan:
    """One service of every kind."""
    changes = [
        ServiceChange(service, "replaced", (text, "environment: KEY"), pinned("old", "b"), reference),
        ServiceChange("gone", "removed", ("the release does not have it",), reference),
        ServiceChange("same", "left alone", (), reference, reference),
    ]
    pulls = (PlannedPull(reference, 41_200_000, 5, 3),)
    return DeployPlan(
        "green", "shop", tag, "v0", tuple(changes), pulls, ("KEY (added)",), ("secrets/key",), (12.0, 15.0),
        {"pull images": 4.0}, (text,), "1 v0",
    )  # fmt: skip


def release_differences(service: str, reference: str, text: str, tag: str) -> ReleaseDifferences:
    """One difference of every kind."""
    other = pinned("old", "b")
    services = (
        ServiceDifference(service, "changed", other, reference, 1_000_000, 2_500_000),
        ServiceDifference("new", "added", "", reference, None, None),
    )
    named = (NamedDifference(service, text, "changed", text, text),)
    return ReleaseDifferences(
        "v0", tag, "v0", tag, services, 3, named, (service,), (NamedDifference("", text, "added", "", "644 3 bytes"),),
        (NamedDifference(service, "KEY", "removed"),), named, (NamedDifference("", "KEY", "changed"),), (text,),
    )  # fmt: skip


def told_story(service: str, reference: str, text: str, tag: str, *, url: str = "http://ui/run") -> ReleaseStory:
    """A release that failed on blue and was good on green, with everything that a run measures."""
    measured = Measurements(
        committed="2026-05-04T11:00:00+00:00",
        pulls=(Pull(image=reference, seconds=3.0, bytes=1000), Pull(image=reference)),
        probes=(ProbeTime(service=service, phase="health", verdict="pass", seconds=0.1),),
        gates=(GateNumbers(gate=text, verdict="fail", found=text, wanted=text, query=text),),
        turn=Turn(colour="green", previous="blue", at=READY, turned_seconds=0.1, approved_by=text),
        steps={"pull images": 4.0},
    )
    run = Run(id="00000000-0000-0000-0000-000000000001", name=text, url=url, by=service)
    good = record(1, tag, GOOD, began=BEGAN, deployed=READY, ended=READY, run=run, measured=measured,
                  previous_tag="v0", commit="c0ffee")  # fmt: skip
    failed = record(2, tag, FAILED, began=BEGAN, reason=text, unverified=text)
    histories = {"green": past(good), "blue": past(failed, record(3, "v9"))}
    what = ReleaseContents(tag, release(tag=tag, services={service: reference}, images={reference: image(("a", 5))}))
    spans = (Span(text, 0.0, 40.0, 0, False, "COMPLETED"), Span("deploy", 2.0, 30.0, 1, False, "COMPLETED"),
             Span(text, 3.0, 10.0, 2, True, "FAILED"), Span("b", 12.0, 5.0, 2, True))  # fmt: skip
    return release_story(
        "shop", tag, placements_of(tag, histories), what,
        differences=release_differences(service, reference, text, tag),
        timelines=[RunTimeline(run.id, text, url, BEGAN, spans)],
        bundles=["debug-shop-blue-20260504T120010.000Z.tar.gz"], notes=[text],
    )  # fmt: skip
