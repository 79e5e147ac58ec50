"""A plain Compose project that nobody prepared is adopted: it keeps its data, and it goes back again."""

import pytest

from tests.lab.one_droplet.unprepared import DROPLET, NAME, Bazaar, start_plain
from tests.support.lab.droplet_view import DropletView

pytestmark = pytest.mark.lab

PLAIN = ["bazaar-db", "bazaar-web", "bazaar-worker"]


@pytest.fixture(scope="module")
def plain(bazaar: Bazaar) -> Bazaar:
    """The stack runs by `docker compose up -d` in a directory of its own, from images that a deploy brought; an edge is
    there, and the release that it is to become is published."""
    start_plain(bazaar)
    bazaar.setup_edge()
    return bazaar


def states(stack: Bazaar) -> dict[str, str]:
    """Service → state of its container in the plain project."""
    found = DropletView(DROPLET, NAME, f"/opt/{NAME}").containers()
    return {service: entry["State"]["Status"] for service, entry in found.items()}


def adopt(stack: Bazaar, *words: str) -> str:
    return stack.says("adopt", *words, "--approval", "never").out


def test_another_project_than_the_stacks_is_refused_and_everything_runs_on(plain: Bazaar) -> None:
    before = plain.running()
    said = plain.slipway("adopt", "--stack", NAME, "--tag", "v1", "--project", "nobody", "--approval", "never")
    assert said.code == 2
    assert "no container of a project nobody runs there" in said.err
    assert plain.running() == before


def test_it_is_adopted_with_its_data(plain: Bazaar) -> None:
    volumes = plain.volumes()
    told = adopt(plain, "--tag", "v1")
    assert f"is now {NAME}-green behind the edge, as release v1" in told
    assert plain.seen() == ("green", "v1")
    assert plain.active() == ["green"]
    assert "sold: one lamp" in plain.ask("/rows").text
    assert plain.volumes() == volumes
    assert plain.running()[f"{NAME}-home"] == ["bazaar-db"]
    assert NAME not in plain.running()
    assert set(states(plain).values()) == {"exited"}


def test_adopting_twice_changes_nothing(plain: Bazaar) -> None:
    before = plain.running(), plain.volumes()
    assert "is adopted already, as release v1. Nothing was changed" in adopt(plain, "--tag", "v1")
    assert (plain.running(), plain.volumes()) == before


def test_it_is_undone_with_what_was_written_since(plain: Bazaar) -> None:
    volumes = plain.volumes()
    assert plain.ask("/rows", "POST", content="sold: one carpet").status_code == 200
    assert f"Project {NAME} runs again as before" in adopt(plain, "--undo")
    assert plain.running()[NAME] == PLAIN
    assert not {f"{NAME}-home", f"{NAME}-green"} & plain.running().keys()
    assert "sold: one carpet" in plain.sh("docker exec bazaar-db cat /data/rows")
    assert plain.volumes() == volumes


def test_a_reboot_after_that_brings_back_the_plain_project_alone(plain: Bazaar) -> None:
    plain.host.reboot()
    plain.host.ready()
    assert not {f"{NAME}-home", f"{NAME}-green"} & plain.running().keys()
    assert states(plain)["store"] == "running"


def test_it_is_adopted_again_and_finished_and_two_releases_are_promoted(plain: Bazaar) -> None:
    volumes = plain.volumes()
    adopt(plain, "--tag", "v1")
    assert "are removed. Volumes stay." in adopt(plain, "--finish")
    assert states(plain) == {}
    for tag, colour in (("v2", "blue"), ("v3", "green")):
        said = plain.promote(tag)
        assert said.code == 0, said.all
        assert plain.seen() == (colour, tag)
    assert "sold: one carpet" in plain.ask("/rows").text
    assert plain.volumes() == volumes
