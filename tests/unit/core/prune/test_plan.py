"""What may go from a droplet and what stays, case by case."""

from dataclasses import replace

import pytest

from flows.core.errors import BadRetention
from flows.core.prune.inventory import Inventory
from flows.core.prune.plan import plan_removal
from flows.core.prune.removal import Kind, Removal
from flows.core.records.history import History
from tests.support.builders import digest
from tests.support.prune_builders import container, document, history, image, inventory, name, reference

pytestmark = pytest.mark.unit

# Releases a, b and c were good, c runs, and one good release beside it stays: a may go.
DROPLET = inventory("abc")
HISTORY = history("ag bg cg", "c")
USED = "shop-service-a-1 uses it"


def gone(removal: Removal, kind: Kind) -> set[str]:
    return {item.name for item in removal.of(kind)}


def stays(removal: Removal, what: str) -> str:
    """Why something of this name or id stays."""
    return next(item.reason for item in removal.left if what in (item.name, item.id))


def test_of_a_release_that_is_not_kept_directory_and_image_go():
    removal = plan_removal(DROPLET, HISTORY, 2)
    assert gone(removal, Kind.RELEASE) == {name("a")}
    assert [item.id for item in removal.of(Kind.IMAGE)] == ["sha256:a"]
    assert removal.of(Kind.IMAGE)[0].references == (*image("a").tags, reference("a"))
    assert stays(removal, name("b")) == "good"
    assert stays(removal, name("c")) == "the current one"
    assert stays(removal, "sha256:b") == f"release {name('b')} needs it"
    assert (str(removal), removal.size) == ("1 release, 1 image (up to 1.0 MB)", 1_000_000)
    assert removal.warnings == ()


@pytest.mark.parametrize("keep", [3, 4, 100])
def test_while_all_are_kept_nothing_goes(keep):
    assert plan_removal(DROPLET, HISTORY, keep).goes == ()
    assert str(plan_removal(DROPLET, HISTORY, keep)) == "nothing"


def test_fewer_than_one_is_refused():
    with pytest.raises(BadRetention):
        plan_removal(DROPLET, HISTORY, 0)


IMAGES = {
    "nobody labelled it": (image("a", project=""), None),
    "it is another stack's": (image("a", project="other"), None),
    "no registry has it": (image("a", digests=()), "it was built here, and no registry has it"),
    "a kept release needs it": (image("a", digests=(reference("b"),)), f"release {name('b')} needs it"),
    "a kept release needs it, from another registry": (
        image("a", digests=(reference("b").replace("example.com", "example.org"),)), f"release {name('b')} needs it"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("found", "reason"), IMAGES.values(), ids=IMAGES)
def test_an_image_stays_when(found, reason):
    removal = plan_removal(replace(DROPLET, images=(found,)), HISTORY, 2)
    assert removal.of(Kind.IMAGE) == ()
    assert [item.reason for item in removal.left if item.kind is Kind.IMAGE] == ([reason] if reason else [])


def test_an_image_without_a_tag_goes_by_its_digest():
    removal = plan_removal(replace(DROPLET, images=(image("a", tags=()),)), HISTORY, 2)
    assert removal.of(Kind.IMAGE)[0].references == (reference("a"),)


USERS = {
    "runs": container("a", service="service-c"),
    "is stopped": container("a", service="service-c", state="exited"),
    "is another stack's": container("a", project="other"),
    "is nobody's": container("a", project="", service="", one_off="", number=""),
    "was started by hand from an image of the stack": container("a", one_off="", number="", state="exited"),
}


@pytest.mark.parametrize("user", USERS.values(), ids=USERS)
def test_an_image_stays_when_the_container_that_uses_it(user):
    removal = plan_removal(replace(DROPLET, containers=(user,)), HISTORY, 2)
    assert removal.of(Kind.IMAGE) == ()
    assert stays(removal, "sha256:a") == USED


def test_an_image_goes_with_the_last_container_that_used_it():
    removal = plan_removal(replace(DROPLET, containers=(container("a"), container("c"))), HISTORY, 2)
    assert gone(removal, Kind.CONTAINER) == {"shop-service-a-1"}
    assert [item.id for item in removal.of(Kind.IMAGE)] == ["sha256:a"]


CONTAINERS = {
    "a service of the release": (container("c"), ""),
    "a one-shot that has ended": (container("c", state="exited"), ""),
    "a service that has left the stack": (container("a"), "release c has no service service-a"),
    "one of these that has ended": (container("a", state="exited"), "release c has no service service-a"),
    "a `compose run` that has ended": (container("c", one_off="True", state="dead"), "a `compose run` that has ended"),
    "a `compose run` that runs": (container("a", one_off="True"), ""),
    "a `compose run` that is paused": (container("a", one_off="True", state="paused"), ""),
    "a `docker run` of an image of the stack": (container("a", one_off="", number=""), ""),
    "a container that only bears the project's label": (container("a", service=""), ""),
    "another stack's": (container("a", project="other"), ""),
    "nobody's": (container("a", project="", service="", one_off="", number=""), ""),
}  # fmt: skip


@pytest.mark.parametrize(("found", "reason"), CONTAINERS.values(), ids=CONTAINERS)
def test_a_container_goes_or_stays_by_what_it_is(found, reason):
    removal = plan_removal(replace(DROPLET, containers=(found,)), HISTORY, 2)
    assert [item.reason for item in removal.of(Kind.CONTAINER)] == ([reason] if reason else [])
    assert all(item.running is (found.state == "running") for item in removal.of(Kind.CONTAINER))


def test_without_a_current_release_no_service_has_left_the_stack():
    removal = plan_removal(replace(DROPLET, containers=(container("z"),)), replace(HISTORY, current=""), 2)
    assert removal.of(Kind.CONTAINER) == ()


OLD, NEW = "shop-service-c-1", "0123456789ab_shop-service-c-1"
CROWDS = {
    "the old one runs": ({OLD: "running", NEW: "created"}, {NEW}),
    "the new one runs": ({OLD: "exited", NEW: "running"}, {OLD}),
    "the old one was stopped": ({OLD: "exited", NEW: "created"}, {NEW}),
    "both run": ({OLD: "running", NEW: "running"}, set()),
    "neither ever ran": ({OLD: "created", NEW: "created"}, {NEW}),
    "there is only the new one": ({NEW: "created"}, set()),
}


@pytest.mark.parametrize(("states", "surplus"), CROWDS.values(), ids=CROWDS)
def test_of_what_an_interrupted_start_leaves_one_stays_when(states, surplus):
    crowd = tuple(container("c", id=f"id-{n}", name=n, state=state) for n, state in states.items())
    assert gone(plan_removal(replace(DROPLET, containers=crowd), HISTORY, 2), Kind.CONTAINER) == surplus


def test_replicas_are_no_surplus():
    replicas = tuple(
        container("c", id=f"{n}", number=f"{n}", state=state) for n, state in ((1, "running"), (2, "exited"))
    )
    assert plan_removal(replace(DROPLET, containers=replicas), HISTORY, 2).of(Kind.CONTAINER) == ()


@pytest.mark.parametrize("text", [None, "", "{", '{"format": 2}', "\x00"])
def test_while_a_kept_release_cannot_be_read_no_image_goes(text):
    documents = {key: value for key, value in DROPLET.documents.items() if key != name("b")}
    unread = replace(DROPLET, documents=documents | ({name("b"): text} if text is not None else {}))
    removal = plan_removal(unread, HISTORY, 2)
    assert (removal.of(Kind.IMAGE), gone(removal, Kind.RELEASE)) == ((), {name("a")})
    assert stays(removal, "sha256:a") == "whether it is needed is unknown"
    assert removal.warnings == (
        f"no image is removed: of release {name('b')} no document can be read, so nobody knows what it needs",
    )


def test_a_release_that_goes_need_not_be_readable():
    removal = plan_removal(replace(DROPLET, documents=DROPLET.documents | {name("a"): "{"}), HISTORY, 2)
    assert [item.id for item in removal.of(Kind.IMAGE)] == ["sha256:a"]


def test_while_not_every_container_was_seen_no_image_goes():
    removal = plan_removal(replace(DROPLET, whole=False), HISTORY, 2)
    assert removal.of(Kind.IMAGE) == ()
    assert "a container came or went" in removal.warnings[0]


def test_with_a_damaged_record_every_release_and_its_images_stay():
    removal = plan_removal(DROPLET, replace(HISTORY, damaged=("000004.json",)), 1)
    assert removal.goes == ()
    assert removal.warnings == ("no release is removed: of the history, 000004.json cannot be read",)


def test_a_release_whose_files_a_running_container_has_mounted_stays_and_its_image_goes():
    removal = plan_removal(replace(DROPLET, mounted={name("a"): ("shop-web-1",)}), HISTORY, 2)
    assert removal.of(Kind.RELEASE) == ()
    assert stays(removal, name("a")) == "shop-web-1 has files of it mounted"
    assert [item.id for item in removal.of(Kind.IMAGE)] == ["sha256:a"]


def test_while_mounts_cannot_be_seen_no_release_goes():
    removal = plan_removal(replace(DROPLET, hidden=("shop-web-1",)), HISTORY, 2)
    assert removal.of(Kind.RELEASE) == ()
    assert removal.warnings == ("no release is removed: the mounts of shop-web-1 cannot be seen",)


def test_what_slipway_did_not_name_stays_and_what_was_on_its_way_goes():
    there = replace(HISTORY, kept=HISTORY.kept | {"backup"})
    removal = plan_removal(replace(DROPLET, incoming=("d.d", "tar.tmp")), there, 3)
    assert gone(removal, Kind.INCOMING) == {"d.d", "tar.tmp"}
    assert stays(removal, "backup") == "Slipway gives no such names"
    assert str(removal) == "2 half-way releases"


def test_where_slipway_never_released_anything_nothing_is_ours():
    leftovers = (container("a", one_off="True", state="exited"),)
    removal = plan_removal(Inventory("shop", leftovers, images=(image("a"),)), History(), 5)
    assert (removal.goes, removal.left) == ((), ())
    assert removal.warnings == ("nothing of shop was ever released here, so nothing here is ours",)


def test_after_a_first_release_that_failed_its_images_go():
    removal = plan_removal(Inventory("shop", images=(image("a"),)), history("af", kept=frozenset()), 5)
    assert [item.id for item in removal.of(Kind.IMAGE)] == ["sha256:a"]


HOME = replace(DROPLET, stack="shop-home")


def test_the_data_home_gives_up_images_of_the_whole_stack_that_its_releases_do_not_need():
    removal = plan_removal(HOME, HISTORY, 2)
    assert [item.id for item in removal.of(Kind.IMAGE)] == ["sha256:a"]
    assert stays(removal, "sha256:b") == f"release {name('b')} needs it"


@pytest.mark.parametrize("droplet", [HOME, DROPLET], ids=["at home", "on a colour beside it"])
def test_what_the_other_part_of_the_stack_needs_stays(droplet):
    removal = plan_removal(replace(droplet, others={"v9": document("a")}), HISTORY, 2)
    assert removal.of(Kind.IMAGE) == ()
    assert stays(removal, "sha256:a") == "release v9 needs it"


def test_what_the_other_part_needs_may_be_unknown():
    removal = plan_removal(replace(HOME, others={"v9": "{trunc"}), HISTORY, 2)
    assert removal.of(Kind.IMAGE) == ()
    assert removal.warnings == (
        "no image is removed: of release v9 no document can be read, so nobody knows what it needs",
    )


def test_an_image_of_a_stack_that_only_has_the_shorter_name_is_not_ours():
    foreign = image("a", id="sha256:f", digests=(f"registry.example.com/others/a@{digest('a')}",))
    removal = plan_removal(replace(HOME, images=(foreign,)), HISTORY, 2)
    assert (removal.of(Kind.IMAGE), [item for item in removal.left if item.id == "sha256:f"]) == ((), [])
