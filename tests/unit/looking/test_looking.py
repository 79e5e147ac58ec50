"""Looking without Prefect: blocks from an API that answers as Prefect's, droplets by SSH servers in this process."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from blocks.errors import PrefectFailed, Unreachable
from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.core.errors import BlockMissing, ConflictingOptions, UnknownService
from flows.looking.places import named_places
from flows.looking.service import places_with, run_inside, show_logs
from flows.looking.status import look_at_droplets, look_back
from flows.settings import Settings
from tests import CHECKOUT
from tests.support.builders import record, release
from tests.support.http_server import Asked, Says, serving
from tests.support.ssh_server import HOST_KEY, USER_KEY, Server, key_text, public

pytestmark = pytest.mark.unit

SECRET = "sentinel-of-a-secret"
RELEASE = release()
DOCKER = """\
#!/bin/sh
case "$1 $2 $*" in
*'{{.Label "com.docker.compose.service"}}'*) echo web; echo worker ;;
"ps --all "*) echo aa ;;
"inspect --format "*) echo i ;;
"inspect "*) cat "$0.inspected" ;;
esac
"""
INSPECTED = {
    "Id": "aa", "Name": "/shop-web-1", "Image": "sha256:1", "State": {"Status": "running"},
    "Config": {"Image": "web", "Labels": {"com.docker.compose.service": "web", "com.docker.compose.oneoff": "False"}},
}  # fmt: skip
COMPOSE = f"""\
#!/bin/sh
case $1 in
logs) echo "web-1  | my token is {SECRET}"; echo "asked: $*" ;;
exec) shift 4; exec "$@" ;;
esac
"""


class World:
    """Droplets in directories, reached by SSH, and an API that knows their blocks."""

    def __init__(self, place: Path, stack: ExitStack) -> None:
        self.place, self.stack, self.blocks = place, stack, {}
        self.api = stack.enter_context(serving(self._answer))
        (place / "bin").mkdir()
        (place / "bin/docker").write_text(DOCKER)
        (place / "bin/docker").chmod(0o755)
        (place / "bin/docker.inspected").write_text(json.dumps([INSPECTED]))

    def _answer(self, asked: Asked) -> Says:
        slug, name = asked.path.split("/")[4], asked.path.split("/")[-1]
        data = self.blocks.get((slug, name))
        return Says(200, {"data": data}) if data else Says(404, {"detail": "Block document not found"})

    def droplet(self, name: str, tag: str = "v1") -> None:
        directory = self.place / name
        at = directory / "shop/releases" / f"{tag}.0"
        at.mkdir(parents=True)
        (directory / "shop/current").symlink_to(f"releases/{tag}.0")
        (at / "release.json").write_bytes(RELEASE.model_copy(update={"tag": tag}).document())
        (at / "environment").write_text(f"TOKEN={SECRET}\n")
        (at / "compose").write_text(COMPOSE)
        (at / "compose").chmod(0o755)
        history = directory / "shop/history"
        history.mkdir()
        (history / "000003.json").write_bytes(record(3, tag).model_copy(update={"name": f"{tag}.0"}).document())
        self.save(name, self.stack.enter_context(Server(self._run)).address().port, str(directory))

    def save(self, name: str, port: int, directory: str) -> None:
        self.blocks["slipway-droplet", name] = {
            "host": "127.0.0.1", "port": port, "user": "root", "host_key": public(HOST_KEY),
            "private_key": key_text(USER_KEY), "directory": directory,
        }  # fmt: skip

    def switch(self, active: str) -> None:
        directory = self.place / "switch"
        directory.mkdir()
        (directory / active).write_text('{"by": "me"}')
        data = {"host": self.blocks["slipway-droplet", "green"], "directory": str(directory), "way": "state-file"}
        self.blocks["slipway-caddy-switch", "edge"] = data

    def _run(self, command: str, first: bytes, channel) -> int:
        given = b"" if "logs" in command else first + b"".join(iter(lambda: channel.recv(65536), b""))
        done = subprocess.run(
            ["sh", "-c", command], input=given, capture_output=True, check=False,
            env={"PATH": f"{self.place}/bin:/usr/bin:/bin"},
        )  # fmt: skip
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        return done.returncode

    def ask(self, work, *given, **more):
        with PrefectApi(ApiConnection(f"{self.api.url}/api"), pause=lambda _seconds: None) as api:
            return work(api, "shop", *given, **more)


@pytest.fixture
def world(tmp_path):
    with ExitStack() as stack:
        yield World(tmp_path, stack)


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


@pytest.mark.parametrize("module", ["flows.cli.looking.status", "flows.looking.status", "flows.looking.service"])
def test_looking_imports_no_prefect(module):
    code = f"import sys, {module}; sys.exit(any(name.partition('.')[0] == 'prefect' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=False).returncode == 0
