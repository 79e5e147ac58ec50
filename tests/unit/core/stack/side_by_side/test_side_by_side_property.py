"""Whatever a small stack has, it is refused, or its colours and its data home never collide."""

from functools import partial

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from flows.core.errors import NotSideBySide
from flows.core.stack.compose_files import locate
from flows.core.stack.side_by_side.override import networks_from_home
from flows.core.stack.side_by_side.refusals import refuse_shared
from tests.support.stack.compose_client import needs_compose
from tests.support.stack.three_projects import COLOURS, assert_apart, external, play, read_whole

pytestmark = [pytest.mark.unit, needs_compose]

SERVICES, NETWORKS, VOLUMES = ("api", "db", "web"), ("back", "default", "front"), ("cache", "rows")
# Names that are fixed, that look like Compose's own, or that are made of the project's.
FIXED = st.sampled_from(["corp", "shop_back", "shop_default", "${COMPOSE_PROJECT_NAME}_x"])
RARELY = st.integers(0, 9).map(lambda drawn: drawn == 9)


@st.composite
def services(draw, index: int) -> dict:
    """One service, of fields that two projects may quarrel about."""
    name = SERVICES[index]
    home = draw(st.booleans())
    spec: dict = {"image": name, "x-slipway": {"data": "home" if home else "disposable"}}
    if draw(st.booleans()):
        spec["container_name"] = f"shop-{name}"
    elif draw(st.booleans()):
        spec["scale"] = draw(st.integers(0, 3))
    if draw(st.booleans()) and not home:
        spec["x-slipway"]["expose"] = {"host": f"{name}.example.com", "port": 80}
        spec["ports"] = draw(st.sampled_from([[], ["80"], [f"80{index}0:80"], [f"81{index}0-81{index}2:80"]]))
    elif draw(st.booleans()) and (home or draw(RARELY)):
        spec["ports"] = [f"90{index}0:90", f"90{index}0:90/udp"]
    # Of an earlier service only: Compose refuses those that wait for each other.
    others = [f"service:{name}" for name in SERVICES[:index]]
    mode = draw(st.sampled_from(["", "", "", "", "none", "bridge", "host", *others]))
    if mode and "expose" not in spec["x-slipway"]:
        return {**{k: v for k, v in spec.items() if k != "ports"}, "network_mode": mode}
    on = draw(st.lists(st.sampled_from(NETWORKS), unique=True, max_size=2))
    if on:
        names = draw(st.lists(st.sampled_from(["one", "two$$", name]), unique=True, max_size=2))
        spec["networks"] = {key: draw(st.sampled_from([None, {"aliases": names}, {"priority": 2}])) for key in on}
    mounted = draw(st.lists(st.sampled_from(VOLUMES), unique=True, max_size=1))
    spec["volumes"] = [f"{volume}:/{volume}" for volume in mounted]
    if index:
        linked = draw(st.lists(st.sampled_from(SERVICES[:index]), unique=True))
        spec["links"] = [f"{other}:{other}-of-{name}" for other in linked]
    return spec


def definitions(keys: tuple[str, ...], odd: list[dict]) -> st.SearchStrategy[dict]:
    plain = st.one_of(st.just({}), st.builds(lambda name: {"name": name}, FIXED))
    rare = RARELY.flatmap(lambda rarely: st.sampled_from(odd) if rarely else plain)
    return st.fixed_dictionaries(dict.fromkeys(keys, rare))


ADDRESSES = {"ipam": {"config": [{"subnet": "10.9.0.0/24"}]}}
STACKS = st.fixed_dictionaries({
    "name": st.just("shop"),
    "services": st.fixed_dictionaries({name: services(index) for index, name in enumerate(SERVICES)}),
    "networks": definitions(NETWORKS, [
        {"external": True}, {"internal": True, "labels": {"a": "$$b"}}, ADDRESSES,
    ]),
    "volumes": definitions(VOLUMES, [{"external": True}, {"driver_opts": {"type": "tmpfs", "device": "tmpfs"}}]),
})  # fmt: skip


@given(drawn=STACKS)
@settings(max_examples=30)
def test_a_stack_is_refused_or_its_projects_never_collide(tmp_path_factory, drawn):
    directory = tmp_path_factory.mktemp("drawn")
    names = [definition.get("name", key) for key, definition in drawn["networks"].items()]
    assume(len(set(names)) == len(names))
    whole = read_whole(directory, drawn)
    try:
        refuse_shared(whole, partial(locate, {"compose.yaml": "{}"}))
    except NotSideBySide:
        event("refused")
        return
    event("apart")
    projects = play(directory, drawn)
    assert_apart(projects)
    for colour in COLOURS:
        assert external(projects.of(colour)) <= set(networks_from_home(projects.facts, stack="shop", colour=colour))
