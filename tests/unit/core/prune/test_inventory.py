"""What a droplet holds: the script that prints it, word for word, and what its output is read into."""

import json
import re

import pytest

from flows.core.droplet.directories import StackDirectory
from flows.core.errors import ForeignRecord
from flows.core.prune.inventory import ContainerEntry, Inventory, LocalImage, inventory_script, read_inventory
from flows.core.records.history import History
from flows.core.records.record import Record, RecordOutcome
from tests.support import assert_good_shell
from tests.support.fake_droplet import make_host
from tests.support.prune_builders import document

pytestmark = pytest.mark.unit

SCRIPT = inventory_script(StackDirectory("/opt/it's", "shop"))


def test_only_what_pruning_must_know_leaves_the_droplet():
    printed = [word for word in SCRIPT.split("'") if word.startswith('{"id"')]
    assert printed == [
        '{"id":{{json .Id}},"name":{{json .Name}},"image":{{json .Image}},"state":{{json .State.Status}},'
        '"project":{{json (index .Config.Labels "com.docker.compose.project")}},'
        '"service":{{json (index .Config.Labels "com.docker.compose.service")}},'
        '"one_off":{{json (index .Config.Labels "com.docker.compose.oneoff")}},'
        '"number":{{json (index .Config.Labels "com.docker.compose.container-number")}},"pid":{{json .State.Pid}}}',
        '{"id":{{json .Id}},"tags":{{json .RepoTags}},"digests":{{json .RepoDigests}},'
        '"project":{{json (index .Config.Labels "com.docker.compose.project")}},"size":{{json .Size}}}',
    ]
    assert SCRIPT.count("docker inspect") + SCRIPT.count("docker image inspect") == 3


def test_only_images_with_the_stacks_label_are_asked_for_and_containers_of_everybody():
    assert "docker image ls --quiet --no-trunc --filter label=com.docker.compose.project=shop" in SCRIPT
    assert SCRIPT.startswith("ids=$(docker ps --all --quiet --no-trunc) || exit 1\n")


def test_the_script_is_good_shell():
    # SC2086, SC2046: the ids are meant to be words of their own. SC2030, SC2031: each section has its own.
    assert_good_shell(SCRIPT, "SC2086", "SC2046", "SC2030", "SC2031")


def test_a_data_home_asks_for_images_of_the_whole_stack_and_for_releases_of_its_colours():
    script = inventory_script(StackDirectory("/opt/slipway", "shop-home"))
    asked = re.findall(r"docker image ls .*? --filter label=com\.docker\.compose\.project=([\w-]+)", script)
    assert asked == ["shop", "shop-home"]
    assert "cd /opt/slipway/shop/releases" in script
    assert "cd /opt/slipway/shop-home-home/releases" in script


def test_a_colour_asks_for_releases_of_the_data_home_beside_it_and_for_no_images_of_others():
    assert "label=com.docker.compose.project=shop-home" not in SCRIPT
    assert """cd '/opt/it'"'"'s/shop-home/releases'""" in SCRIPT


def test_releases_of_the_data_home_are_printed_and_read(tmp_path):
    host = make_host(tmp_path)
    for stack, letter in (("shop", "a"), ("shop-home", "b")):
        place = host.path.parent / stack / "releases" / f"{letter}.{letter * 16}"
        place.mkdir(parents=True)
        (place / "release.json").write_text(document(letter))
    (tmp_path / "bin/docker").write_text("#!/bin/sh\nexit 0\n")
    done = host.sh(inventory_script(host.home))
    assert (done.returncode, done.stderr) == (0, b"")
    inventory, _ = read_inventory(done.stdout.decode(), "shop")
    assert (list(inventory.documents), list(inventory.others)) == ([f"a.{'a' * 16}"], [f"b.{'b' * 16}"])
    assert json.loads(inventory.others[f"b.{'b' * 16}"])["tag"] == "b"


@pytest.mark.parametrize("word", ["rm ", "rmi", "mkdir", ">>", "mv ", "docker stop", "docker pull", "prune"])
def test_looking_changes_nothing(word):
    assert word not in SCRIPT


OLD, NEW = f"v1.{'a' * 16}", f"v2.{'b' * 16}"
CONTAINER = {
    "id": "c1", "name": "/shop-web-1", "image": "sha256:1", "state": "running", "project": "shop", "service": "web",
    "one_off": "False", "number": "1", "pid": 7,
}  # fmt: skip
FOREIGN = {**dict.fromkeys(CONTAINER, ""), "id": "c2", "name": "/db", "image": "sha256:9", "state": "exited", "pid": 0}
BLIND = {**CONTAINER, "id": "c3", "name": "/shop-web-2", "pid": 8}
IMAGE = {"id": "sha256:1", "tags": ["host/web:1"], "digests": ["host/web@sha256:2"], "project": "shop", "size": 5}
BARE = {"id": "sha256:3", "tags": [], "digests": None, "project": "shop", "size": 6}
RECORD = Record(number=1, stack="shop", tag="v1", name=OLD, outcome=RecordOutcome.GOOD)


def output(containers: list[dict], mounts: list[str], complete: str = "complete", stack: str = "shop") -> str:
    record = RECORD.model_copy(update={"stack": stack}).document().decode()
    return "\n".join([
        "@@slipway:history", "==> 000001.json <==", record,
        "@@slipway:kept", OLD, NEW, "@@slipway:name", f"releases/{NEW}",
        "@@slipway:containers", *map(json.dumps, containers), complete,
        "@@slipway:images", json.dumps(IMAGE), json.dumps(BARE),
        "@@slipway:mounts", *mounts,
        "@@slipway:documents", f"@@document:{OLD}", document("a"), f"@@document:{NEW}", "{trunc", "",
        "@@slipway:incoming", "v3.c", "..", "two words",
    ])  # fmt: skip


def test_everything_is_read():
    mounts = ["7 /", f"7 /opt/slipway/shop/releases/{OLD}/files/conf", "7 /other"]
    inventory, history = read_inventory(output([CONTAINER, FOREIGN], mounts), "shop")
    assert inventory == Inventory(
        stack="shop",
        containers=(
            ContainerEntry("c1", "shop-web-1", "sha256:1", "running", "shop", "web", "False", "1", 7),
            ContainerEntry("c2", "db", "sha256:9", "exited"),
        ),
        whole=True,
        images=(
            LocalImage("sha256:1", ("host/web:1",), ("host/web@sha256:2",), "shop", 5),
            LocalImage("sha256:3", (), (), "shop", 6),
        ),
        documents={OLD: inventory.documents[OLD], NEW: "{trunc\n"},
        incoming=("v3.c", "two words"),
        mounted={OLD: ("shop-web-1",)},
    )
    assert json.loads(inventory.documents[OLD]) == json.loads(document("a"))
    assert history == History((RECORD,), frozenset([OLD, NEW]), NEW, (), 1)


@pytest.mark.parametrize(
    ("root", "release"),
    [
        (f"/opt/slipway/shop/releases/{OLD}", OLD),
        (f"/releases/{OLD}/files/a//deleted", OLD),
        (f"/@rootfs/opt/slipway/shop/releases/{OLD}/files", OLD),
        (f"/opt/slipway/shop/shared/{OLD}", None),
        ("/opt/slipway/shop/current/files", None),
        ("/", None),
    ],
)
def test_a_mount_is_known_by_its_place_in_whatever_file_system_it_is(root, release):
    inventory, _ = read_inventory(output([CONTAINER], [f"7 {root}"]), "shop")
    assert set(inventory.mounted) == ({release} if release else set())


def test_a_running_container_whose_mounts_cannot_be_seen_is_named():
    inventory, _ = read_inventory(output([CONTAINER, BLIND, FOREIGN], ["7 /"]), "shop")
    assert inventory.hidden == ("shop-web-2",)


def test_an_inspection_that_was_cut_short_is_not_whole():
    assert read_inventory(output([CONTAINER], ["7 /"], complete=""), "shop")[0].whole is False
    assert read_inventory("", "shop")[0].whole is False


def test_records_of_another_stack_are_refused():
    with pytest.raises(ForeignRecord):
        read_inventory(output([], [], stack="other"), "shop")


def test_a_real_directory_is_read_by_the_real_script(tmp_path):
    host = make_host(tmp_path)
    assert read_inventory(host.sh(inventory_script(host.home)).stdout.decode(), "shop") == (
        Inventory("shop"),
        History(),
    )
    host.deploy(OLD)
    host.deploy(NEW)
    (host.path / "releases" / OLD / "release.json").write_text("{cut off")
    (host.path / "incoming/v3.c").mkdir(parents=True)
    inventory, history = read_inventory(host.sh(inventory_script(host.home)).stdout.decode(), "shop")
    assert {name: text.strip() for name, text in inventory.documents.items()} == {OLD: "{cut off", NEW: '{"tag": "v1"}'}
    assert inventory.incoming == ("v3.c",)
    assert (history.kept, history.current) == (frozenset([OLD, NEW]), NEW)


def test_without_an_engine_it_fails_with_the_engines_words(tmp_path):
    host = make_host(tmp_path)
    (tmp_path / "bin/docker").write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n")
    done = host.sh(inventory_script(host.home))
    assert (done.returncode, done.stderr) == (1, b"Cannot connect to the Docker daemon\n")
