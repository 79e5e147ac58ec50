"""Two colours, their data home and the edge on one droplet: a stack that nobody prepared goes all the way."""

import pytest

from tests.lab.one_droplet.clients import Clients
from tests.lab.one_droplet.unprepared import LIES, NAME, PROD, Bazaar

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def served(bazaar: Bazaar) -> Bazaar:
    """The stack, released for the first time: its data home, and green."""
    bazaar.setup_edge()
    bazaar.slipway_ok("build-push", *bazaar.write("v1"))
    bazaar.says("deploy-home", "--tag", "v1", "--approval", "never")
    said = bazaar.slipway("promote", "--stack", NAME, "--tag", "v1", "--approval", "never")
    assert said.code == 0, said.all
    return bazaar


def test_a_first_release_is_served_by_its_host(served: Bazaar) -> None:
    assert served.seen() == ("green", "v1")
    assert served.active() == ["green"]
    assert served.running()[f"{NAME}-home"] == ["bazaar-db"]
    assert served.ask("/rows", "POST", content="sold: one lamp").status_code == 200
    assert "sold: one lamp" in served.ask("/rows").text


def test_setting_the_edge_up_again_changes_nothing(served: Bazaar) -> None:
    assert "Nothing was changed" in served.setup_edge().out


def test_promotions_lose_no_request(served: Bazaar) -> None:
    volumes = served.volumes()
    with Clients(served) as clients:
        for tag, colour in (("v2", "blue"), ("v3", "green")):
            said = served.promote(tag)
            assert said.code == 0, said.all
            assert served.seen() == (colour, tag)
            clients.await_answers(tag)
    assert clients.lost() == []
    assert clients.doubled_or_missing(served.ask("/rows").text) == []
    assert served.volumes() == volumes
    assert {state["release"] for state in served.status().values()} == {"v1", "v2", "v3"}


def test_the_other_colour_sleeps_and_is_woken_to_go_back(served: Bazaar) -> None:
    active, idle = served.active()[0], {"green": "blue", "blue": "green"}[served.active()[0]]
    assert f"{NAME}-{idle}" not in served.running()
    said = served.says("switch-back")
    assert served.active() == [idle]
    assert served.seen()[0] == idle
    assert "woken" in said.all
    served.says("switch-back")
    assert served.active() == [active]


def test_a_release_that_lies_moves_nothing(served: Bazaar) -> None:
    before = served.seen()
    said = served.promote("v4", LIES)
    assert said.code == 1, said.all
    assert served.seen() == before


def test_a_colour_is_rolled_back_by_its_place(served: Bazaar) -> None:
    active = served.active()[0]
    said = served.slipway("rollback", "--stack", NAME, "--droplet", PROD)
    assert said.code == 2
    assert f"--droplet {PROD}/green, --droplet {PROD}/blue" in said.err
    served.says("rollback", "--to", "v1" if active == "green" else "v2", part=active)
    assert served.seen() == (active, "v1" if active == "green" else "v2")
    served.says("deploy", "--tag", "v3", part=active)
    served.says("validate", part=active)
    assert served.seen() == (active, "v3")
    for verb in ("status", "history", "plan", "prune"):
        served.says(verb, *([] if verb != "prune" else ["--droplet", f"{PROD}/{active}"]))


def test_a_system_prune_leaves_a_colour_that_sleeps_as_it_is(served: Bazaar) -> None:
    look = "docker ps --all --format '{{.Names}} {{.State}}' | sort; docker network ls --format '{{.Name}}' | sort"
    served.sh(
        f"docker network create {NAME}-left; docker create --name {NAME}-left $(docker images -q | head -n 1) true"
    )
    before = served.sh(look)
    assert "exited" in before
    said = served.slipway("system-prune", "--droplet", PROD, "--confirm", PROD)
    assert said.code == 0, said.all
    gone = [line for line in before.splitlines() if line.startswith(f"{NAME}-left")]
    assert served.sh(look).splitlines() == [line for line in before.splitlines() if line not in gone]
    assert len(gone) == 2


def test_a_droplet_that_was_rebooted_serves_what_it_served(served: Bazaar) -> None:
    before, volumes = served.seen(), served.volumes()
    served.host.reboot()
    served.host.ready()
    served.await_seen(*before)
    assert served.volumes() == volumes
    for part in ("green", "blue", "home"):
        served.says("reconcile", part=part)
    assert served.seen() == before
