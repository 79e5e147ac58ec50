"""Looking without Prefect: blocks from an API that answers as Prefect's, droplets by SSH servers in this process."""

import subprocess
import sys

import pytest

from blocks.errors import PrefectFailed, Unreachable
from flows.core.errors import BlockMissing, ConflictingOptions, UnknownService
from flows.looking.places import named_places
from flows.looking.service import places_with, run_inside, show_logs
from flows.looking.status import look_at_droplets, look_back
from flows.settings import Settings
from tests import CHECKOUT

pytestmark = pytest.mark.unit

SECRET = "sentinel-of-a-secret"
TWO = Settings(switch="edge", home="")


def test_every_droplet_is_told_with_release_record_services_and_its_part_in_traffic(world):
    world.droplet("green")
    world.droplet("blue", "v2")
    world.switch("blue")
    found, traffic = world.ask(look_at_droplets, None, TWO)
    assert {name: (one.release, one.active, one.record.tag) for name, one in found.items()} == {
        "green": ("v1", False, "v1"), "blue": ("v2", True, "v2")
    }  # fmt: skip
    assert found["green"].services["web"].state == "running"
    assert (traffic.active, traffic.trouble) == (("blue",), "")


def test_a_droplet_that_was_never_saved_is_left_out_and_one_that_is_away_is_told(world):
    world.droplet("green")
    world.save("blue", 1, "/nowhere")
    found, traffic = world.ask(look_at_droplets, None, TWO)
    assert found["green"].release == "v1"
    assert "cannot be reached" in found["blue"].trouble
    assert traffic.trouble == "where traffic goes is not known: no switch edge was saved"
    del world.blocks["slipway-droplet", "blue"]
    assert set(world.ask(look_at_droplets, None, Settings())[0]) == {"green"}


def test_one_that_is_named_must_be_there(world):
    world.save("blue", 1, "/nowhere")
    with pytest.raises(Unreachable):
        world.ask(look_at_droplets, "blue", Settings())
    with pytest.raises(BlockMissing, match="slipway droplet add red"):
        world.ask(look_at_droplets, "red", Settings())
    world.blocks["slipway-droplet", "odd"] = {"host": "x"}
    with pytest.raises(PrefectFailed, match="slipway droplet add odd"):
        world.ask(named_places, "odd", Settings())


def test_the_history_of_each_droplet_is_read(world):
    world.droplet("green")
    found = world.ask(look_back, None, Settings())
    assert [one.tag for one in found["green"].records] == ["v1"]
    assert found["green"].deployed() is not None


def logs(world, places, **options) -> list[tuple[str, str]]:
    lines = []
    given = {"tail": 5, "since": "", "follow": False, **options}
    show_logs(list(places.values()), "web", lambda *line: lines.append(line), **given)
    return sorted(lines)


def test_the_log_of_a_service_comes_from_where_traffic_goes_and_shows_no_secret(world):
    world.droplet("green")
    world.droplet("blue")
    world.switch("blue")
    places = world.ask(places_with, "web", droplet=None, colour=None, settings=TWO)
    assert set(places) == {"blue"}
    assert logs(world, places) == [
        ("blue", "asked: logs --no-color --tail 5 -- web"), ("blue", "web-1  | my token is ••••")
    ]  # fmt: skip
    both = world.ask(places_with, "web", droplet=None, colour="green", settings=TWO)
    assert set(both) == {"green"}


def test_a_command_inside_has_its_input_its_output_and_its_exit_code(world):
    world.droplet("green")
    (place,) = world.ask(places_with, "web", droplet="green", colour=None, settings=TWO).values()
    lines = []
    script = f"cat; echo {SECRET} >&2; exit 3"
    code = run_inside(
        place, "web", ["sh", "-c", script], lambda *line: lines.append(line), stdin=b"given\n", timeout=60
    )
    assert (code, lines) == (3, [("out", "given"), ("err", "••••")])


def test_what_is_not_there_is_refused_with_what_is(world):
    world.droplet("green")
    for droplet, colour, error in (("green", "green", ConflictingOptions), (None, None, UnknownService)):
        with pytest.raises(error):
            world.ask(places_with, "wep", droplet=droplet, colour=colour, settings=Settings())
    world.save("green", 1, "/nowhere")
    with pytest.raises(Unreachable):
        world.ask(places_with, "web", droplet=None, colour=None, settings=Settings())


@pytest.mark.parametrize(
    "module",
    [
        *("flows.cli.looking.status", "flows.looking.status", "flows.looking.service"),
        *("flows.cli.looking.metrics", "flows.looking.metrics"),
    ],
)
def test_looking_imports_no_prefect(module):
    code = f"import sys, {module}; sys.exit(any(name.partition('.')[0] == 'prefect' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=False).returncode == 0
