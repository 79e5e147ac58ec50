"""A person is asked before traffic moves: yes, no, not yet, twice, too late, and in words that are none."""

import httpx
import pytest

from blocks.polling import until
from tests.faults.harness.blue_green import SECOND, BlueGreenScenario, refused
from tests.faults.harness.slipway_process import SlipwayProcess
from tests.support.lab.lab import prefect_api

pytestmark = pytest.mark.faults
ALWAYS = {"SLIPWAY_APPROVAL": "always"}
PAUSED = "PAUSED"


def _ask(pair: BlueGreenScenario, **more: str) -> SlipwayProcess:
    asking = pair.start_process(["promote", "--stack", pair.stack], {**ALWAYS, **more})
    pair.asked(asking)
    return asking


def _answer(asking: SlipwayProcess, *how: str, name: str = "Ada") -> list[str]:
    return ["approve", asking.run(), *how, "--name", name, "--reason", "I looked at it"]


def _by_api(asking: SlipwayProcess, **answer: object) -> httpx.Response:
    """The answer of Prefect's server; one that is too busy (503) is asked again, as Prefect's own client does."""
    with prefect_api() as api:
        return until(
            lambda: api.post(f"/flow_runs/{asking.run()}/resume", json={"run_input": answer}),
            lambda said: said.status_code != httpx.codes.SERVICE_UNAVAILABLE,
            within=60,
            pause=0.5,
        )


def test_yes(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("approval: yes", "a person is asked", "promoted, and told by whom")
    asking = _ask(pair)
    pair.untouched(start)  # no lock is held while it waits
    said = pair.done(_answer(asking))
    assert "Ada: I looked at it" in said.out
    said = asking.wait()
    assert said.code == 0, said.all
    assert "Approved by Ada: I looked at it" in said.out
    pair.ended_well(start, start.idle)


def test_yes_by_the_api(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("approval: yes, by the HTTP API", "a person is asked", "promoted, and told by whom")
    asking = _ask(pair)
    answer = _by_api(asking, decision="approve", name="Grace", reason="from elsewhere")
    assert answer.status_code < 300, answer.text
    said = asking.wait()
    assert said.code == 0, said.all
    assert "Approved by Grace: from elsewhere" in said.out
    pair.ended_well(start, start.idle)


def test_no(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("approval: no", "a person is asked", "exit 3; traffic stays")
    asking = _ask(pair)
    pair.done(_answer(asking, "--reject"))
    refused(asking.wait(), "NotApproved", "rejected by Ada: I looked at it", "Nothing was moved", code=3)
    pair.untouched(start)


def test_not_yet_and_then_yes(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("approval: hold, then yes", "a person is asked", "asked again; promoted")
    asking = _ask(pair)
    pair.done(_answer(asking, "--hold"))
    pair.asked(asking, times=2)
    pair.untouched(start)
    pair.done(_answer(asking, name="Grace"))
    said = asking.wait()
    assert said.code == 0, said.all
    assert "Approved by Grace" in said.out
    pair.ended_well(start, start.idle)


def test_answered_twice(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("approval: answered twice", "a person is asked", "the second is refused and told; the first counts")
    asking = _ask(pair)
    pair.done(_answer(asking, "--reject"))
    refused(pair.say(_answer(asking, name="Grace")), "NothingToApprove", asking.run())
    refused(asking.wait(), "NotApproved", "rejected by Ada", code=3)
    refused(pair.say(_answer(asking, name="Grace")), "NothingToApprove", "it is ")
    assert _by_api(asking, decision="approve", name="Grace", reason="late").json()["status"] in ("REJECT", "ABORT")
    pair.untouched(start)


def test_two_answers_at_the_same_time(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("approval: yes and no at the same time", "a person is asked", "one of them counts, and is told")
    asking = _ask(pair)
    both = [
        pair.start_process(_answer(asking, *how, name=name)) for how, name in ((["--reject"], "Ada"), ([], "Grace"))
    ]
    codes = [one.wait().code for one in both]
    said = asking.wait()
    assert 0 in codes, [one.said() for one in both]
    assert (said.code, pair.edge.files()) in ((3, [start.active]), (0, [start.idle])), said.all
    pair.ended_well(start, start.idle if said.code == 0 else start.active)


def test_nobody_answers(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("approval: nobody answers in time", "a person is asked", "exit 3; a later answer is refused")
    asking = _ask(pair, SLIPWAY_APPROVAL_TIMEOUT="2")
    refused(asking.wait(30), "NotApproved", "nobody answered within 2 s", "Nothing was moved", code=3)
    refused(pair.say(_answer(asking)), "NothingToApprove", asking.run())
    pair.untouched(start)


def test_words_that_are_no_answer(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("approval: no name, no reason, an unknown decision", "a person is asked", "still waits; then yes counts")
    asking = _ask(pair)
    bad = (
        {"decision": "yes", "name": "Ada", "reason": "why not"},
        {"decision": "approve", "name": "", "reason": "why not"},
        {"decision": "approve", "name": "Ada", "reason": "  "},
        {"decision": "approve"},
        {"decision": "approve", "name": "Ada", "reason": "r", "more": 1},
        {},
    )
    for answer in bad:
        _by_api(asking, **answer)
        assert pair.state(asking) == PAUSED
    refused(pair.say(_answer(asking, name=" ")), "BadAnswer", "name")
    pair.done(_answer(asking))
    said = asking.wait()
    assert said.code == 0, said.all
    pair.ended_well(start, start.idle)


def test_something_else_is_deployed_meanwhile(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("a deploy to the idle colour while a person is asked", "a person is asked", "PlanChanged; traffic stays")
    asking = _ask(pair)
    pair.done(pair.deploy(SECOND, start.idle))  # no lock is in its way
    pair.done(_answer(asking))
    refused(asking.wait(), "PlanChanged", "not what was approved", "slipway promote")
    pair.untouched(start)
    pair.goes_on(start)


def test_the_candidate_becomes_unhealthy_while_a_person_is_asked(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says(
        "the candidate becomes unhealthy while a person is asked", "a person is asked", "not promoted, despite the yes"
    )
    asking = _ask(pair)
    pair.make_unhealthy(start.idle)
    pair.done(_answer(asking))
    refused(asking.wait(), "NotPromoted", "health: ", code=1)
    pair.untouched(start)


def test_the_switch_is_moved_while_a_person_is_asked(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("the switch is moved while a person is asked", "a person is asked", "told; not overwritten")
    asking = _ask(pair)
    pair.edge.point(start.active, by="Grace")
    mark = pair.edge.mark()
    pair.done(_answer(asking))
    refused(asking.wait(), "SwitchMoved", "by Grace", code=1)
    assert pair.edge.mark() == mark
    pair.ended_well(start, start.active)


def test_killed_while_a_person_is_asked(pair: BlueGreenScenario) -> None:
    start = pair.settle()
    pair.says("promotion killed (SIGKILL)", "a person is asked", "nothing was moved; a yes moves nothing")
    asking = _ask(pair)
    asking.end()
    pair.say(_answer(asking))
    pair.untouched(start)
    pair.goes_on(start)
