"""plan, read without a run: what the flow would say, from what stands on both colours and on the switch."""

import re

import pytest

from flows.core.droplet.directories import RESOLVED
from flows.core.errors import BadColours, BlockMissing, NothingDeployed, SwitchAmbiguous
from flows.looking.plan import look_at_plan
from flows.settings import Settings

pytestmark = pytest.mark.unit

TWO = Settings(switch="edge", home="")


def deployed(world, name: str, tag: str, environment: str = "") -> None:
    world.droplet(name, tag)
    at = world.place / name / "shop/releases" / f"{tag}.0"
    (at / RESOLVED).write_text('{"name": "shop", "services": {"web": {"image": "web"}}}')
    if environment:
        (at / "environment").write_text(environment)


def test_the_idle_colour_goes_where_the_active_one_is(world):
    deployed(world, "green", "v1")
    deployed(world, "blue", "v2", "TOKEN=another\nMORE=1\n")
    world.switch("green")
    plan = world.ask(look_at_plan, None, TWO)
    assert (plan.to, plan.left, plan.tag, plan.old_tag, plan.target) == ("blue", "green", "v2", "v1", ("blue",))
    assert plan.keys == ("MORE (added)", "TOKEN (changed)")
    assert plan.switch == "traffic switch edge (http://shop.example.com)"
    assert "another" not in str(plan)
    assert [change.kind for change in plan.changes] == ["same"]


def test_a_switch_that_points_nowhere_has_to_be_told_where_to(world):
    deployed(world, "green", "v1")
    deployed(world, "blue", "v2")
    world.switch("nowhere")
    with pytest.raises(SwitchAmbiguous, match="points at no colour"):
        world.ask(look_at_plan, None, TWO)
    assert world.ask(look_at_plan, "blue", TWO).sentence.endswith("goes to release v2 on blue (blue).")


def test_what_is_missing_is_refused_as_the_flow_refuses_it(world):
    deployed(world, "green", "v1")
    world.switch("green")
    with pytest.raises(BlockMissing, match="slipway droplet add blue"):
        world.ask(look_at_plan, None, TWO)
    world.blocks["slipway-droplet", "blue"] = world.blocks["slipway-droplet", "green"]
    with pytest.raises(BadColours, match="are one host"):
        world.ask(look_at_plan, None, TWO)
    del world.blocks["slipway-droplet", "blue"]
    world.droplet("blue", "v2")
    (world.place / "blue/shop/current").unlink()
    with pytest.raises(NothingDeployed, match="droplet blue of the colour blue carries no release"):
        world.ask(look_at_plan, None, TWO)


def test_the_edge_of_a_droplet_that_both_colours_share_is_told_only_where_it_is_asked_for(world):
    (world.place / "prod").mkdir()
    for colour, tag in (("green", "v1"), ("blue", "v2")):
        deployed(world, f"prod/{colour}", tag)
    for colour in ("green", "blue"):  # both parts stand in one directory of one droplet
        part = (world.place / f"prod/{colour}/shop").rename(world.place / f"prod/shop-{colour}")
        for file in (*part.rglob("release.json"), *part.rglob("history/*.json")):
            file.write_text(re.sub(r'("stack": ?)"shop"', rf'\1"shop-{colour}"', file.read_text()))
    world.save("prod", world.blocks["slipway-droplet", "prod/green"]["port"], str(world.place / "prod"))
    world.blocks["slipway-droplet", "green"] = world.blocks["slipway-droplet", "prod"]
    world.switch("green")
    shared = Settings(switch="edge", one_droplet="prod")
    assert world.ask(look_at_plan, None, shared).site == ""
    assert world.ask(look_at_plan, None, shared, edge=True).site


@pytest.mark.parametrize("fields", [None, {"way": "admin"}])
def test_a_switch_that_only_its_block_can_ask_is_left_to_the_flow(world, fields):
    world.droplet("green")
    if fields:
        world.blocks["slipway-caddy-switch", "edge"] = fields
    assert world.ask(look_at_plan, None, TWO) is None
    assert world.ask(look_at_plan, None, Settings(switch="", home="")) is None
