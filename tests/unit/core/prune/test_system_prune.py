"""What a system prune would take, what it must spare, and which engines would not spare it."""

import pytest

from flows.core.prune.system_prune import (
    PrunableObjects,
    dangling_images,
    disk_use,
    keep_script,
    prunable_script,
    read_prunable,
    refuse_reason,
    system_prune_script,
)
from tests.support import assert_good_shell
from tests.support.builders import pinned, release

pytestmark = pytest.mark.unit

SCRIPT = prunable_script("/opt/it's")
OUTPUT = f"""\
@@slipway:version
26.1.5        1.45
@@slipway:containers
shop-web-1\thost/web\tExited (0) 2 hours ago\t
shop-blue-web-1\thost/web\tExited (0) 2 hours ago\tshop-blue
old-web-1\thost/web\tExited (0) 2 hours ago\told
other-web-1\thost/web\tExited (0) 2 hours ago\tother
@@slipway:images
sha256:1\thost/old@sha256:9\t12MB
sha256:2\t{pinned("web")}\t13MB
@@slipway:networks
left\t
shop-blue_default\tshop-blue
other_default\tother
@@slipway:stacks
/opt/it's/shop-blue/current
@@slipway:adopted
{{"format": 1, "project": "old", "stack": "shop"}}
@@slipway:busy

used
@@slipway:anonymous
used
unused
@@slipway:volumes
used
unused
shop_rows
@@slipway:disk
Images\t1GB
Build Cache\t2GB
@@slipway:documents
@@document
{release().document().decode()}
@@document
{{cut off
"""


def test_everything_is_read():
    assert read_prunable(OUTPUT) == PrunableObjects(
        engine="26.1.5",
        api="1.45",
        containers=(
            ("shop-web-1", "host/web", "Exited (0) 2 hours ago"),
            ("other-web-1", "host/web", "Exited (0) 2 hours ago"),
        ),
        images=(("sha256:1", "host/old@sha256:9", "12MB"), ("sha256:2", pinned("web"), "13MB")),
        networks=("left", "other_default"),
        volumes=("unused",),
        named=frozenset(["shop_rows"]),
        cache="2GB",
        to_keep=(pinned("web"),),
        spared=("old", "shop-blue"),
    )


def test_what_a_release_needs_is_not_listed_and_no_named_volume_is():
    assert [(row["kind"], row["name"]) for row in read_prunable(OUTPUT).rows()] == [
        ("container", "shop-web-1"),
        ("container", "other-web-1"),
        ("image", "sha256:1"),
        ("network", "left"),
        ("network", "other_default"),
        ("anonymous volume", "unused"),
        ("builder cache", "what is unused"),
    ]


def test_an_engine_that_says_nothing_has_nothing_to_prune():
    assert read_prunable("") == PrunableObjects()


ENGINES = {
    "it is 23": (PrunableObjects("23.0.0", "1.42"), ""),
    "it is newer": (PrunableObjects("29.2.1", "1.52"), ""),
    "it is Debian's": (PrunableObjects("26.1.5+dfsg1", "1.45"), ""),
    "it is older": (
        PrunableObjects("20.10.24", "1.41"),
        "Docker Engine is 20.10.24, and before 23 `--volumes` means named volumes",
    ),
    "its client is older": (
        PrunableObjects("26.1.5", "1.41"),
        "client speaks API 1.41: before 1.42 the engine takes named volumes",
    ),
    "it says nothing": (PrunableObjects(), "Docker Engine is silent"),
    "its client says nothing": (PrunableObjects("26.1.5"), "client speaks API unknown"),
}


@pytest.mark.parametrize(("prunable", "words"), ENGINES.values(), ids=ENGINES)
def test_an_engine_spares_named_volumes_when(prunable, words):
    assert words in refuse_reason(prunable)
    assert bool(words) is bool(refuse_reason(prunable))


def test_what_goes_is_named_and_nothing_of_projects_whose_containers_may_be_stopped_on_purpose():
    lines = system_prune_script(read_prunable(OUTPUT)).splitlines()
    assert [line for line in lines if line.startswith("docker")] == [
        "docker rm -- shop-web-1 other-web-1 || :",
        "docker network rm -- left other_default || :",
        "docker volume rm -- unused || :",
        "docker image prune --force || exit",
        "docker builder prune --force || exit",
    ]
    assert_good_shell(system_prune_script(read_prunable(OUTPUT)))


def test_where_nothing_is_listed_only_images_and_cache_are_asked_for():
    lines = system_prune_script(PrunableObjects()).splitlines()
    assert sum(line.startswith("docker") for line in lines) == 2


def test_an_image_that_a_release_needs_gets_the_tag_that_keeps_it():
    tag = f"registry.example.com/team/web:slipway-{'a' * 16}"
    assert keep_script([pinned("web")]) == f"set -e\ndocker tag {pinned('web')} {tag}\n"
    assert keep_script([]) == "set -e\n"


def test_dangling_images_are_those_of_a_project_or_all():
    shown = ["--format", "{{.ID}}\t{{.Repository}}@{{.Digest}}\t{{.Size}}"]
    listed = ["image", "ls", "--no-trunc", "--digests", "--filter", "dangling=true"]
    only = ["--filter", "label=com.docker.compose.project=shop"]
    assert dangling_images() == ["docker", *listed, *shown]
    assert dangling_images("shop", "/usr/bin/docker") == ["/usr/bin/docker", *listed, *only, *shown]
    assert disk_use() == ["docker", "system", "df", "--format", "{{.Type}}\t{{.Size}}"]


def test_looking_is_good_shell():
    assert_good_shell(SCRIPT, "SC2086", "SC2030", "SC2031")


@pytest.mark.parametrize("word", ["rm ", "rmi", "mkdir", ">>", "mv ", "prune", "docker tag"])
def test_looking_changes_nothing(word):
    assert word not in SCRIPT
