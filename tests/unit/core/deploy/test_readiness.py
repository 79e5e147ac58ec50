"""The waiter's rules, as a table: what a droplet shows, and what is made of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.deploy.readiness import Patience, Readiness, Watch, all_ready, exit_words, failures, judge_readiness
from flows.core.droplet.containers import Container, Healthcheck
from tests.support.builders import checked, container, stack

pytestmark = pytest.mark.unit

READY, WAITING, FAILED = Readiness.READY, Readiness.WAITING, Readiness.FAILED
PATIENCE = Patience()
ALWAYS = {"restart": "always"}
MIGRATED = {"web": {**ALWAYS, "depends_on": {"job": {"condition": "service_completed_successfully"}}}, "job": ALWAYS}


def seen(seconds: float, waited: float | None = None, **restarts_before: int) -> Watch:
    """A waiter that has seen every container run for so many seconds."""
    everyone = {"id-web": seconds, "id-job": seconds, "id-second": seconds}
    before = {f"id-{name}": count for name, count in restarts_before.items()}
    return Watch(seconds if waited is None else waited, everyone, before)


# what it is: (service, container, watch, verdict, reason)
CASES = {
    "healthy": (ALWAYS, checked("healthy"), seen(0), READY, "healthy"),
    "unhealthy": (ALWAYS, checked("unhealthy", last_words="no db"), seen(3), FAILED, "unhealthy: no db"),
    "unhealthy without a word": (
        ALWAYS,
        checked("unhealthy"),
        seen(3),
        FAILED,
        "unhealthy: its healthcheck says nothing",
    ),
    "slow, inside its start period": (ALWAYS, checked("starting"), seen(19), WAITING, "starting"),
    "slow, inside its retries after the start period": (ALWAYS, checked("starting"), seen(27), WAITING, "starting"),
    "slow, past its own deadline": (
        ALWAYS,
        checked("starting", last_words="booting"),
        seen(38.5),
        FAILED,
        "not healthy 38 s after its start: booting",
    ),
    "slow, but restarted a moment ago": (ALWAYS, checked("starting"), seen(1, waited=500), WAITING, "starting"),
    "no healthcheck, just started": (ALWAYS, container(), seen(1), WAITING, "starting"),
    "no healthcheck, ran through the delay": (ALWAYS, container(), seen(2), READY, "running"),
    "no healthcheck, never runs for long": (ALWAYS, container(), seen(1, waited=61), FAILED, "starting after 60 s"),
    "one-shot, exit 0": ({}, container(state="exited"), seen(0), READY, "completed"),
    "one-shot, exit 1": ({}, container(state="exited", exit_code=1), seen(0), FAILED, "exit 1"),
    "one-shot, restarted on failure": (
        {"restart": "on-failure:3"},
        container(state="exited"),
        seen(0),
        READY,
        "completed",
    ),
    "one-shot, still running": ({}, container(), seen(1), WAITING, "starting"),
    "service, exit 0": (ALWAYS, container(state="exited"), seen(0), FAILED, "exit 0"),
    "service with a healthcheck, exit 0": ({}, checked("starting", state="exited"), seen(0), FAILED, "exit 0"),
    "dead": (ALWAYS, container(state="dead", exit_code=127), seen(0), FAILED, "exit 127 (command not found)"),
    "out of memory": (
        ALWAYS,
        container(state="exited", exit_code=137, oom_killed=True),
        seen(0),
        FAILED,
        "exit 137 (out of memory)",
    ),
    "created, waits for another": (ALWAYS, container(state="created"), seen(0, waited=590), WAITING, "created"),
    "created, for ever": (ALWAYS, container(state="created"), seen(0, waited=601), FAILED, "created after 600 s"),
    "restarting, few times": (ALWAYS, container(state="restarting", restarts=3), seen(0), WAITING, "restarting"),
    "crash loop": (
        ALWAYS,
        container(state="restarting", restarts=4, exit_code=1),
        seen(0, web=0),
        FAILED,
        "restarted 4 times, last exit 1",
    ),
    "many restarts, all before we looked": (ALWAYS, container(restarts=40), seen(2, web=40), READY, "running"),
    "restart count grows though it runs": (
        ALWAYS,
        checked("healthy", restarts=44, exit_code=1),
        seen(2, web=40),
        FAILED,
        "restarted 4 times, last exit 1",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_one_container_is_judged_by_what_it_shows(case):
    service, shown, watch, verdict, reason = case
    [standing] = judge_readiness(stack({"web": service}), [shown], watch, PATIENCE)
    assert (standing.service, standing.readiness, standing.reason) == ("web", verdict, reason)


JOB_CASES = {
    "not completed": (container("job"), seen(5), WAITING, "not completed"),
    "never completes": (container("job"), seen(601), FAILED, "not completed after 600 s"),
    "completed": (container("job", state="exited"), seen(5), READY, "completed"),
    "failed": (container("job", state="exited", exit_code=2), seen(5), FAILED, "exit 2"),
    "completed, with the healthcheck of its image": (
        checked("starting", "job", state="exited"),
        seen(5),
        READY,
        "completed",
    ),
    "unhealthy by the healthcheck of its image": (checked("unhealthy", "job"), seen(5), WAITING, "not completed"),
    "healthy by the healthcheck of its image": (checked("healthy", "job"), seen(5), WAITING, "not completed"),
}


@pytest.mark.parametrize("case", JOB_CASES.values(), ids=JOB_CASES)
def test_what_others_wait_for_is_ready_when_it_has_completed(case):
    shown, watch, verdict, reason = case
    standing = judge_readiness(stack(MIGRATED), [checked("healthy"), shown], watch, PATIENCE)[1]
    assert (standing.service, standing.readiness, standing.reason) == ("job", verdict, reason)


@pytest.mark.parametrize(
    ("waited", "there", "verdict", "reason"),
    [
        (0, 0, WAITING, "not created yet"),
        (11, 0, FAILED, "0 of 2 containers were created"),
        (11, 1, FAILED, "1 of 2 containers were created"),
    ],
)
def test_a_missing_container_is_given_a_moment_and_then_counted(waited, there, verdict, reason):
    mine = [checked("healthy")] * there
    standings = judge_readiness(stack({"web": {**ALWAYS, "scale": 2}}), mine, seen(1, waited), PATIENCE)
    assert (standings[0].readiness, standings[0].reason) == (verdict, reason)
    assert [standing.readiness for standing in standings[1:]] == [READY] * there


def test_two_replicas_stand_each_for_itself():
    second = replace(checked("unhealthy"), id="id-second", name="shop-web-2")
    standings = judge_readiness(
        stack({"web": {**ALWAYS, "deploy": {"replicas": 2}}}), [checked("healthy"), second], seen(1), PATIENCE
    )
    assert [(s.container, s.readiness) for s in standings] == [("shop-web-1", READY), ("shop-web-2", FAILED)]
    assert [s.container for s in failures(standings)] == ["shop-web-2"]
    assert not all_ready(standings)


def test_a_service_scaled_to_none_is_waited_for_by_nobody():
    assert judge_readiness(stack({"web": {**ALWAYS, "scale": 0}}), [], seen(100), PATIENCE) == []


def test_a_one_off_container_is_no_replica():
    one_off = container(labels=(("com.docker.compose.oneoff", "True"),))
    [standing] = judge_readiness(stack({"web": ALWAYS}), [one_off], seen(0), PATIENCE)
    assert standing.reason == "not created yet"


def test_an_empty_stack_is_ready():
    assert all_ready(judge_readiness(stack({}), [], Watch(), PATIENCE))


@pytest.mark.parametrize(
    ("code", "oom", "words"),
    [
        (0, False, "exit 0"),
        (137, False, "exit 137 (killed)"),
        (137, True, "exit 137 (out of memory)"),
        (143, False, "exit 143 (terminated)"),
    ],
)
def test_an_exit_code_is_said_in_words(code, oom, words):
    assert exit_words(container(exit_code=code, oom_killed=oom)) == words


times = st.floats(min_value=0, max_value=1e6, allow_nan=False)
checks = st.none() | st.builds(
    Healthcheck, interval=times, timeout=times, retries=st.integers(0, 1000), start_period=times
)
shown_by_an_engine = st.builds(
    Container,
    id=st.sampled_from(["a", "b"]),
    name=st.text(max_size=5),
    service=st.sampled_from(["web", "job", "orphan"]),
    image=st.just("image"),
    image_id=st.just("id"),
    state=st.sampled_from(["created", "running", "paused", "restarting", "removing", "exited", "dead", "new word"]),
    health=st.sampled_from(["none", "starting", "healthy", "unhealthy", "new word"]),
    exit_code=st.integers(-1, 255),
    oom_killed=st.booleans(),
    restarts=st.integers(0, 10),
    started=st.none(),
    healthcheck=checks,
    address=st.just(""),
    last_words=st.text(max_size=10),
)
watches = st.builds(
    Watch,
    waited=times,
    running_for=st.dictionaries(st.sampled_from(["a", "b"]), times),
    restarts_before=st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 10)),
)


@given(st.lists(shown_by_an_engine, max_size=4), watches)
def test_whatever_an_engine_shows_every_service_gets_a_verdict_with_a_reason(containers, watch):
    standings = judge_readiness(stack(MIGRATED), containers, watch, PATIENCE)
    assert {standing.service for standing in standings} == {"web", "job"}
    assert all(standing.reason for standing in standings)


@given(watches, checks.filter(bool))
def test_a_container_that_is_healthy_and_does_not_restart_is_ready(watch, healthcheck):
    healthy = container(health="healthy", healthcheck=healthcheck)
    [standing] = judge_readiness(stack({"web": ALWAYS}), [healthy], watch, PATIENCE)
    assert standing.readiness is READY


@given(shown_by_an_engine, checks)
def test_no_wait_is_without_an_end(shown, healthcheck):
    late = Watch(1e9, {"a": 1e9, "b": 1e9}, {})
    endless = replace(shown, service="web", healthcheck=healthcheck, restarts=0)
    [standing] = judge_readiness(stack({"web": ALWAYS}), [endless], late, PATIENCE)
    assert standing.readiness is not WAITING
