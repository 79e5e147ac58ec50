"""The reading of what was found: each case its sentence."""

import json

import pytest

from flows.core.debug.diagnosis import FINE, HealthResponse, diagnose_host, diagnose_service
from flows.core.debug.evidence import ContainerUsage, EngineEvent, Evidence, HostEvidence
from flows.core.debug.overview import StackOverview, choose_services, overview_script, read_overview, unhealthy_services
from flows.core.errors import NothingDeployed, UnknownService
from tests.support.builders import NOW, checked, container, digest, pinned, release, stack

pytestmark = pytest.mark.unit

ID = "id-web"
NAMES = {"web": {"restart": "always"}, "job": {"restart": "no"}}


def overview(*containers, **more) -> StackOverview:
    given = {"stack": stack(NAMES), "now": NOW.timestamp() + 5, **more}
    return StackOverview("shop", "droplet green", containers, **given)


def events(*said: tuple[float, str, str]) -> tuple[EngineEvent, ...]:
    """Seconds, what, and exit code or signal."""
    return tuple(EngineEvent(at, what, "web", *((more,) if what == "die" else ("", more))) for at, what, more in said)


def stated(error: str) -> dict:
    return {"inspected": {ID: {"State": {"Error": error}}}}


OOM = events((1, "oom", ""), (1.2, "die", "137"))
KILLED = events((1, "kill", "9"), (1.2, "die", "137"))
TRACE = "2026-05-04T12:00:00.1Z Traceback (most recent call last):\n2026-05-04T12:00:00.1Z ValueError: no such tool\n"

# What it is → container, overview, evidence, and the troubles that are read.
STANDINGS = {
    "it runs": (container(), {}, {}, ()),
    "it is healthy again": (checked("healthy", restarts=1), {}, {}, ("restarted once",)),
    "out of memory, again and again": (
        container(state="restarting", restarts=6, exit_code=137, oom_killed=True), {}, {},
        ("restarted 6 times; last exit 137: out of memory",),
    ),
    "it ran out of memory and runs again": (
        container(restarts=6), {}, {"events": OOM}, ("restarted 6 times; last exit 137: out of memory",),
    ),
    "it gave up": (
        container(state="exited", restarts=3, exit_code=1), {}, {},
        ("restarted 3 times; last exit 1; not running now",),
    ),
    "killed by hand": (
        container(state="exited", exit_code=137), {}, {"events": KILLED},
        ("is not running: exit 137: killed, by hand or because it did not stop in time",),
    ),
    "killed by the kernel": (
        container(state="exited", exit_code=137), {}, {}, ("is not running: exit 137: killed, not by Docker",),
    ),
    "no such command": (
        container(state="exited", exit_code=127), {}, {}, ("is not running: exit 127: command not found",),
    ),
    "never started": (
        container(state="created"), stated('x: unable to start container process: exec: "y": not found: unknown'), {},
        ('was created and never started: exec: "y": not found',),
    ),
    "never started, for a long reason": (
        container(state="created"), stated("driver " * 40 + "bind: address already in use"), {},
        ("was created and never started: …" + ("driver " * 40 + "bind: address already in use")[-199:],),
    ),
    "ended well, and should not have": (
        container(state="exited"), {}, {}, ("is not running: exit 0: it ended by itself, and well",),
    ),
    "ended well, as a job does": (container("job", state="exited"), {}, {}, ()),
    "paused": (container(state="paused"), {}, {}, ("is paused",)),
    "unhealthy": (checked("unhealthy", last_words="x\nno till\n"), {}, {}, ("unhealthy: no till",)),
    "starting for too long": (
        checked("starting", last_words="not yet"), {"now": NOW.timestamp() + 21}, {},
        ("starting, and its healthcheck has not passed yet: not yet",),
    ),
    "an exception": (
        container(), {}, {"logs": {ID: TRACE}}, ("the log ends with an exception: ValueError: no such tool",),
    ),
    "at its memory limit": (
        container(), {}, {"usage": {ID: ContainerUsage(98 << 20, 100 << 20)}},
        ("memory at 98 % of its limit of 100 MiB",),
    ),
    "another digest": (
        container(image_id="i"), {"release": release(), "digests": {"i": (pinned("web", "b"),)}}, {},
        (f"runs {digest('b')[:19]}…, the record says {digest('a')[:19]}…",),
    ),
    "the digest of the record": (
        container(image_id="i"), {"release": release(), "digests": {"i": (pinned("web"),)}}, {}, (),
    ),
}  # fmt: skip


# What is not looked for when no service is named: one may be well in spite of it.
WELL = {"it runs", "it is healthy again", "ended well, as a job does", "the digest of the record", "an exception",
        "at its memory limit"}  # fmt: skip


@pytest.mark.parametrize("what", STANDINGS)
def test_troubles_are_read_when(what):
    one, there, found, troubles = STANDINGS[what]
    assert diagnose_service(overview(one, **there), Evidence(**found), one.service).troubles == troubles
    others = [container(name) for name in NAMES if name != one.service]
    assert unhealthy_services(overview(one, *others, **there)) == (() if what in WELL else (one.service,))


LINES = {
    "TypeError: x is not a function": True,
    "java.lang.IllegalStateException: odd": True,
    "asyncio.exceptions.CancelledError": True,
    "KeyError": True,
    "panic: runtime error: index out of range": True,
    "thread 'main' panicked at src/main.rs:4:5": True,
    "Can't locate Till.pm in @INC at /app/shop.pl line 3.": True,
    "died at shop.pl line 12, <STDIN> line 3.": True,
    "sh: 1: uvicorn: not found": True,
    "cp: error writing '/data/x': No space left on device": True,
    "GET /errors 200": False,
    "INFO: no Error here": False,
    "all is well": False,
}


@pytest.mark.parametrize("line", LINES)
def test_an_exception_is_told_from_other_lines(line):
    found = Evidence(logs={ID: f"2026-05-04T12:00:00.1Z {line}\n2026-05-04T12:00:00.2Z   at x (y.js:1)\n"})
    expected = (f"the log ends with an exception: {line}",) if LINES[line] else ()
    assert diagnose_service(overview(container()), found, "web").troubles == expected


ANSWERS = {
    "no answer": (
        HealthResponse("/health", None, "ConnectError: refused", 0.01),
        "did not answer /health: ConnectError: refused",
    ),
    "a bad answer": (HealthResponse("/health", 503, "503: busy", 0.02), "answered /health 503: busy in 0.02 s"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_of_its_health_path_is_read(what):
    answer, sentence = ANSWERS[what]
    assert diagnose_service(overview(container()), Evidence(), "web", answer).troubles == (sentence,)
    assert diagnose_service(overview(container(state="exited", exit_code=1)), Evidence(), "web", answer).troubles == (
        "is not running: exit 1",
    )


def test_the_nearest_cause_comes_first_and_what_else_is_known_last():
    one = checked("unhealthy", restarts=2, last_words="no till")
    found = Evidence(logs={ID: "2026-05-04T12:00:00.1Z open\n2026-05-04T12:00:00.2Z"})
    assert diagnose_service(overview(one), found, "web", HealthResponse("/up", 200, "200 ok", 0.1)).sentences == (
        "restarted 2 times",
        "unhealthy: no till",
        "last words: open",
        "answered /up 200 ok in 0.10 s",
    )


def test_a_well_service_is_said_to_be_well():
    assert diagnose_service(overview(container()), Evidence(), "web").sentences == (FINE,)
    starting = diagnose_service(overview(checked("starting")), Evidence(), "web")
    assert starting.sentences == (FINE, "starting: still within its start period")


def test_a_service_without_a_container_is_not_running():
    assert diagnose_service(overview(), Evidence(), "web").troubles == ("is not running; no container",)
    assert unhealthy_services(overview()) == ("web", "job")


def test_of_several_containers_each_is_named():
    two = (container(name="a"), container(name="b", id="2", state="dead", exit_code=1))
    assert diagnose_service(overview(*two), Evidence(), "web").troubles == ("b: is not running: exit 1",)


def test_the_host_is_read():
    disk = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 100 97 3 97% /\n"
    inodes = "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/a 9 9 0 95% /\n"
    host = HostEvidence({"disk": disk + inodes, "memory": "MemTotal: 100 kB\nMemAvailable: 1 kB"})
    assert diagnose_host(overview(trouble="no socket"), Evidence(host=host)).troubles == (
        "Docker does not answer: no socket", "disk 97 % full (/)", "95 % of the disk's inodes are used (/)",
        "memory 99 % used",
    )  # fmt: skip
    assert diagnose_host(overview(), Evidence()).sentences == (FINE,)


def test_without_a_name_those_that_are_not_well_are_chosen():
    ill = checked("unhealthy")
    assert choose_services(overview(ill, container("job")), []) == ("web",)
    assert choose_services(overview(container(), container("job")), []) == ()
    assert choose_services(overview(ill, container("job")), ["job", "job"]) == ("job",)
    assert choose_services(overview(stack=None, trouble="no socket"), ["web"]) == ("web",)


def test_an_unknown_service_is_refused_with_near_names():
    with pytest.raises(UnknownService, match=r"no service wbe\. Did you mean web\? Its services: job, web"):
        choose_services(overview(), ["wbe"])
    with pytest.raises(NothingDeployed, match="droplet green has nothing of stack shop"):
        choose_services(overview(stack=None), [])


def test_an_overview_is_read_and_what_is_damaged_left_out():
    config = json.dumps({"name": "shop", "services": {"web": {"image": "web"}}})
    said = f"@@slipway:now\n17\n@@slipway:release\n{{\n@@slipway:config\n{config}\n@@slipway:records\n{{}}\n"
    found = read_overview("shop", "here", said)
    assert (found.now, found.release, found.services, found.records) == (17, None, ("web",), "{}")
    assert read_overview("shop", "here", "@@slipway:config\n: {").stack is None
    assert read_overview("shop", "here", said.replace("web", "job"), config).services == ("web",)
    assert "releases" not in overview_script("shop", None)
