"""The script that removes what was listed: word for word, and really run where it is about directories."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.core.droplet.directories import StackDirectory
from flows.core.prune.removal import Item, Kind, Removal, read_refusals, removal_script
from tests.support import assert_good_shell
from tests.support.fake_droplet import make_host

pytestmark = pytest.mark.unit

OLD, NEW = f"v1.{'a' * 16}", f"v2.{'b' * 16}"
IMAGE = Item(Kind.IMAGE, "sha256:1", "host/web:1", "because", ("host/web:1", "host/web@sha256:2"), 2_500_000)
REMOVAL = Removal((
    Item(Kind.CONTAINER, "c1", "shop-run-1", "it ended"),
    Item(Kind.CONTAINER, "c2", "shop-old-1", "it left", running=True),
    IMAGE,
    Item(Kind.RELEASE, OLD, OLD, "old"),
    Item(Kind.INCOMING, "v3 $(x)", "v3 $(x)", "half-way"),
))  # fmt: skip
# What the script asks the engine to do; `docker` answers as if each reference led to the image, and nothing used it.
DOCKER = """#!/bin/sh
[ ! -e "$0.env" ] || . "$0.env"
echo "$*" >>"$RECORD"
case "$*" in
"image inspect"*) echo "${MEANS:-sha256:1}" ;;
ps*) [ -z "${NO_ENGINE:-}" ] || exit 1; echo "${USERS:-}" ;;
"rm c1"|"rmi --no-prune host/web:1") [ -z "${REFUSE:-}" ] || ! printf 'Error: %s\\n' "$REFUSE" "or not" >&2 ;;
esac
"""
ASKED = [
    "rm c1", "stop c2", "rm c2", "ps --all --quiet --filter ancestor=sha256:1",
    "image inspect --format {{.Id}} host/web:1", "rmi --no-prune host/web:1",
    "image inspect --format {{.Id}} host/web@sha256:2", "rmi --no-prune host/web@sha256:2",
]  # fmt: skip


@pytest.fixture
def host(tmp_path):
    host = make_host(tmp_path)
    (tmp_path / "bin/docker").write_text(DOCKER)
    host.deploy(OLD)
    host.deploy(NEW)
    (host.path / "incoming/v3 $(x)").mkdir(parents=True)
    Path(host.env["RECORD"]).unlink()
    return host


def removed(host, removal: Removal = REMOVAL, **env: str) -> dict[str, str]:
    done = host.sh(removal_script(host.home, removal), **env)
    assert (done.returncode, done.stderr) == (0, b"")
    return read_refusals(done.stdout.decode(), removal)


def test_each_thing_has_a_line_of_its_own_and_releases_go_before_images():
    lines = removal_script(StackDirectory("/opt/it's", "shop"), REMOVAL).splitlines()
    assert lines[:2] == ["set -u", "home='/opt/it'\"'\"'s/shop'"]
    assert lines[-7:-2] == [
        f"try release:{OLD} release {OLD}",
        "try 'incoming:v3 $(x)' incoming 'v3 $(x)'",
        "try container:c1 stopped c1",
        "try container:c2 running c2",
        "try image:sha256:1 image sha256:1 host/web:1 host/web@sha256:2",
    ]


def test_the_script_is_good_shell():
    script = removal_script(StackDirectory("/opt/it's", "shop"), REMOVAL)
    assert_good_shell(script, "SC2016", "SC2317", "SC2329")


@pytest.mark.parametrize(
    "forbidden", ["--force", "rm -f ", "--volumes", "-v", " prune", "network", "volume rm", "down"]
)
def test_the_script_cannot_remove_a_volume_a_network_or_what_is_in_use(forbidden):
    assert forbidden not in removal_script(StackDirectory("/opt", "shop"), REMOVAL)


def test_exactly_what_was_listed_is_removed(host):
    assert removed(host) == {}
    assert host.asked() == ASKED
    assert sorted(entry.name for entry in host.path.iterdir()) == ["current", "releases", "shared"]
    assert [entry.name for entry in (host.path / "releases").iterdir()] == [NEW]


def test_what_services_wrote_outlives_the_release_that_linked_to_it(host):
    (host.path / "shared/uploads/row").write_text("mine")
    removed(host)
    assert host.current("files/uploads/row").read_text() == "mine"


def test_it_may_run_twice(host):
    assert removed(host) == {}
    assert removed(host) == {}


def test_the_current_release_stays_even_if_it_was_listed(host):
    listed = Removal((Item(Kind.RELEASE, NEW, NEW, "a mistake"),))
    assert removed(host, listed) == {f"release:{NEW}": "it could not be removed: it is the current one"}
    assert host.current("release.json").exists()


def test_what_the_engine_refuses_stays_and_stops_nothing_else(host):
    refusals = removed(host, REFUSE="conflict: in use")
    words = "it could not be removed: Error: conflict: in use Error: or not"
    assert refusals == {"container:c1": words, "image:sha256:1": words}
    assert not (host.path / "releases" / OLD).exists()


def test_a_container_that_is_gone_by_now_is_gone(host):
    assert removed(host, replace(REMOVAL, goes=REMOVAL.goes[:1]), REFUSE="No such container: c1") == {}


@pytest.mark.parametrize("trouble", [{"USERS": "c9"}, {"NO_ENGINE": "1"}])
def test_an_image_that_a_container_may_use_by_now_keeps_all_its_names(host, trouble):
    assert set(removed(host, **trouble)) == {"image:sha256:1"}
    assert not [asked for asked in host.asked() if asked.startswith("rmi")]


def test_a_name_that_leads_to_another_image_by_now_is_left_alone(host):
    assert removed(host, MEANS="sha256:9") == {}
    assert not [asked for asked in host.asked() if asked.startswith("rmi")]


def test_what_was_refused_is_left_with_its_reason():
    done = REMOVAL.without({"image:sha256:1": "in use"})
    assert done.left == (replace(IMAGE, reason="in use"),)
    assert IMAGE not in done.goes
    assert (str(done), done.size) == ("1 release, 1 half-way release, 2 containers", 0)


def test_what_nothing_was_said_of_is_not_gone():
    refusals = read_refusals("gone container:c1\nleft container:c2 \nnoise\n", REMOVAL)
    assert set(refusals) == {item.key for item in REMOVAL.goes} - {"container:c1"}
    assert set(refusals.values()) == {"it could not be removed: the script ended before"}


def test_rows_say_what_goes_what_stays_and_why():
    rows = Removal((IMAGE,), (replace(IMAGE, reason="needed"),)).rows()
    assert rows == [
        {"": "goes", "kind": "image", "name": "host/web:1", "why": "because", "MB": "2.5"},
        {"": "stays", "kind": "image", "name": "host/web:1", "why": "needed", "MB": "2.5"},
    ]
