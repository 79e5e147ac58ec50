"""The plan of a promotion: what changes service by service, which keys differ, and what is worth knowing first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.deploy.deployed_state import DeployedState
from flows.core.errors import NothingDeployed
from flows.core.traffic.promotion_plan import Change, differing, one_release, plan_promotion
from tests.support.builders import pinned, record, release, stack

pytestmark = pytest.mark.unit

NEW = {"web": pinned("web", "b"), "db": pinned("db"), "new": pinned("new")}
OLD = {"web": pinned("web"), "db": pinned("db"), "old": pinned("old")}


def standing(droplet: str = "b1", tag: str = "v2", number: int = 7, services: dict = NEW, **more) -> DeployedState:
    record_more = {key: more.pop(key) for key in ("environment_hash",) if key in more}
    kept = record(number, tag, environment=record_more.get("environment_hash", ""))
    given = {"release": release(tag=tag, services=services), "record": kept}
    return DeployedState(droplet, **{**given, **more})


BEFORE = standing("g1", "v1", 3, OLD)


def plan(new=None, old=(BEFORE,), left="green"):
    return plan_promotion("shop", "blue", left, new or [standing()], old, "switch edge", "Nothing is cut.")


def test_a_plan_says_where_traffic_goes_and_what_it_leaves():
    found = plan([standing("b1"), standing("b2")])
    assert (found.tag, found.old_tag, found.target, found.left) == ("v2", "v1", ("b1", "b2"), "green")
    assert found.sentence == "Traffic of switch edge goes to release v2 on blue (b1, b2), away from v1 on green."


def test_a_plan_without_an_active_colour_leaves_nothing():
    found = plan(old=(), left=None)
    assert found.sentence == "Traffic of switch edge goes to release v2 on blue (b1)."
    assert (found.left, found.old_tag, found.notes) == ("", "", ())
    assert {change.kind for change in found.changes} == {"new"}


def test_every_service_is_named_with_its_old_and_new_digest():
    assert plan().changes == (
        Change("db", OLD["db"], NEW["db"]),
        Change("new", "", NEW["new"]),
        Change("old", OLD["old"], ""),
        Change("web", OLD["web"], NEW["web"]),
    )
    assert [change.kind for change in plan().changes] == ["same", "new", "gone", "changed"]


def test_what_cannot_be_looked_at_is_said_to_be_no_way_back():
    assert plan(old=()).notes == ("the state of green could not be read, so traffic cannot be moved back to it",)
    assert plan(old=(DeployedState("g1"),)).notes == plan(old=()).notes


def test_the_active_colour_is_that_of_the_first_droplet_that_could_be_looked_at():
    assert plan(old=(DeployedState("g0"), BEFORE)).old_tag == "v1"


def test_secret_files_that_differ_are_told_when_no_variable_does():
    note = "env files or secret files differ; their lines are not compared"
    assert plan([standing(environment_hash="1")]).notes == (note,)
    assert plan([standing(environment_hash="1", environment={"A": "hash"})]).notes == ()
    assert plan([standing()]).notes == ()


def test_a_service_with_state_on_each_colour_is_told():
    told = stack({"web": {"x-slipway": {"data": "per-colour"}}, "db": {"x-slipway": {"data": "home"}}})
    assert plan([standing(stack=told)]).notes == (
        "web keeps state of its own on each colour (x-slipway.data: per-colour)",
    )


def test_the_keys_of_the_environment_are_compared_with_the_active_colour():
    new = standing(environment={"A": "1", "B": "2", "SAME": "0"})
    old = standing("g1", "v1", 3, OLD, environment={"B": "1", "C": "1", "SAME": "0"})
    assert plan([new], [old]).keys == ("A (added)", "B (changed)", "C (removed)")
    assert plan([new], [], None).keys == ()


variables = st.dictionaries(st.sampled_from("ABCDE"), st.text("0123456789", min_size=5))


@given(variables, variables)
def test_only_keys_that_differ_are_told_and_never_a_value(old, new):
    told = differing(old, new)
    names = [name.split(" ")[0] for name in told]
    assert names == sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    assert not {word for word in " ".join(told) if word.isdigit()}
    assert differing(new, new) == []


CHANGED = {
    "another release": standing(tag="v3"),
    "the same put there again": standing(number=8),
    "another droplet": standing("b2"),
    "nothing": DeployedState("b1"),
}


@pytest.mark.parametrize("other", CHANGED.values(), ids=CHANGED)
def test_a_droplet_has_another_mark_when_something_else_stands_there(other):
    assert other.mark != standing().mark
    assert standing().mark == standing(wrong=("web is exited",)).mark


def test_a_plan_has_another_mark_when_any_droplet_carries_something_else():
    mark = plan([standing("b1"), standing("b2")]).mark
    assert mark == plan([standing("b1"), standing("b2")]).mark
    assert mark != plan([standing("b1"), standing("b2", number=8)]).mark
    assert mark != plan([standing("b1"), standing("b2")], [standing("g1", "v1", 4, OLD)]).mark


def test_one_release_is_what_every_droplet_of_a_colour_carries():
    first = standing("b1")
    assert one_release("shop", "blue", [first, standing("b2", number=9)]) is first


@pytest.mark.parametrize("empty", [DeployedState("b2"), standing("b2", release=None), standing("b2", record=None)])
def test_a_droplet_without_a_release_is_named_with_the_command_that_puts_one_there(empty):
    with pytest.raises(NothingDeployed, match=r"b2 of the colour blue carries no release of stack shop\. .*") as error:
        one_release("shop", "blue", [standing("b1"), empty])
    assert "slipway deploy --tag TAG --droplet b2" in str(error.value)


def test_a_colour_with_two_releases_is_refused():
    with pytest.raises(NothingDeployed, match=r"different releases or environments \(b1: v2; b2: v3\)"):
        plan([standing("b1"), standing("b2", "v3")])
