"""What may go from a registry: never what a kept release needs, whatever else is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.registry.cleanup import (
    ManifestLinks,
    NeededRelease,
    RegistryManifest,
    old_tags,
    plan_collection,
    plan_retention,
    tags_as_stored,
)

pytestmark = pytest.mark.unit


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def signature(number: int) -> str:
    return f"sha256-{number:064x}.sig"


def needed(tag, why, *built, taken=()):
    return NeededRelease("shop", tag, why, frozenset({*built, *taken}), frozenset(built))


WEB = needed("v2", "among the newest", ("web", digest(2)), ("shop-release", digest(20)))
OLD = RegistryManifest("web", digest(1), ("v1",), 10)
NEW = RegistryManifest("web", digest(2), ("v2",), 10)


def gone(sweep):
    return {(fate.repository, fate.name) for fate in sweep.goes}


def test_old_tags_go_and_those_of_kept_releases_stay():
    sweep = plan_retention([OLD, NEW], [WEB], {"shop": ["v1"]})
    assert gone(sweep) == {("web", "v1")}
    assert {fate.why for fate in sweep.fates if not fate.goes} == {"release v2 of shop, among the newest"}


def test_the_last_tag_of_a_kept_image_stays_and_the_others_of_old_releases_go():
    both = RegistryManifest("web", digest(2), ("v1", "v2"))
    assert gone(plan_retention([both], [WEB], {"shop": ["v1"]})) == {("web", "v1")}
    assert gone(plan_retention([RegistryManifest("web", digest(2), ("v1",))], [WEB], {"shop": ["v1"]})) == set()


def test_a_repository_of_somebody_else_is_left_alone():
    assert gone(plan_retention([RegistryManifest("theirs", digest(9), ("v1",))], [WEB], {"shop": ["v1"]})) == set()


BASE = needed("v2", "kept", ("web", digest(2)), taken=[("base", digest(3))])


def test_in_a_repository_that_a_release_only_takes_an_image_from_nothing_is_removed():
    stored = [
        NEW, RegistryManifest("base", digest(3), ("v2",)), RegistryManifest("base", digest(4), ("v1",)),
        RegistryManifest("base", digest(5)), RegistryManifest("base", digest(6), (signature(5),)),
        RegistryManifest("theirs", digest(7)), RegistryManifest("theirs", digest(8), (signature(7),)),
    ]  # fmt: skip
    assert gone(plan_collection(stored, [BASE])) == set()
    assert gone(plan_retention(stored, [BASE], {"shop": ["v1"]})) == set()
    others = {fate.why for fate in plan_collection(stored, [BASE]).fates if fate.digest == digest(5)}
    assert others == {"no kept release is published to this repository"}


def test_in_one_repository_the_tags_of_images_that_a_release_only_takes_are_not_meant():
    kept = needed("v2", "newest", ("all", digest(2)), taken=[("all", digest(3))])
    stored = [RegistryManifest("all", digest(2), ("web-v2",)), RegistryManifest("all", digest(3), ("base-v2",))]
    assert tags_as_stored({"shop": ["v1"]}, stored, [kept]) == {"shop": {"web-v1"}}


def test_what_has_no_tag_goes_unless_it_is_needed_or_part_of_an_index():
    wanted, part, rest = (
        RegistryManifest("web", digest(2)),
        RegistryManifest("web", digest(3)),
        RegistryManifest("web", digest(4), (), 7),
    )
    sweep = plan_collection([wanted, part, rest], [WEB], ManifestLinks({("web", digest(3))}))
    assert {fate.digest for fate in sweep.goes} == {digest(4)}
    assert sweep.untagged == (wanted,)
    assert sweep.size == 7


def test_a_signature_goes_with_its_image_and_stays_with_it():
    signatures = [RegistryManifest("web", digest(n), (signature(of),)) for n, of in ((7, 2), (8, 4), (9, 99))]
    stored = [NEW, RegistryManifest("web", digest(4)), *signatures]
    assert {fate.digest for fate in plan_collection(stored, [WEB]).goes} == {digest(4), digest(8), digest(9)}


def test_a_signature_that_names_its_image_in_itself_goes_and_stays_with_it():
    stored = [
        NEW,
        RegistryManifest("web", digest(4)),
        RegistryManifest("web", digest(7)),
        RegistryManifest("web", digest(8)),
    ]
    about = {("web", digest(7)): ("web", digest(2)), ("web", digest(8)): ("web", digest(4))}
    sweep = plan_collection(stored, [WEB], ManifestLinks(about=about))
    assert {fate.digest for fate in sweep.goes} == {digest(4), digest(8)}
    assert {fate.why for fate in sweep.fates if fate.digest == digest(7)} == {"signature of what stays"}


def test_the_newest_and_those_on_droplets_are_not_old():
    published = {"shop": [("v1", "2026-01-01"), ("v2", "2026-01-02"), ("v3", "2026-01-03"), ("v4", "2026-01-04")]}
    on_droplet = needed("v1", "on droplet green")
    assert old_tags(published, 1, [on_droplet]) == {"shop": ["v3", "v2"]}


def test_in_one_repository_only_tags_of_known_images_are_meant():
    kept = needed("v2", "newest", ("all", digest(2)))
    stored = [RegistryManifest("all", digest(2), ("web-v2",)), RegistryManifest("all", digest(1), ("web-v1",)),
              RegistryManifest("all", digest(5), ("web-x-v1",))]  # fmt: skip
    old = tags_as_stored({"shop": ["v1"]}, stored, [kept])
    assert old == {"shop": {"web-v1"}}
    assert gone(plan_retention(stored, [kept], old)) == {("all", "web-v1")}


numbers = st.integers(1, 12)
names = st.sampled_from(["web", "db", "shop-release", "theirs"])
tags = st.lists(st.sampled_from(["v1", "v2", "v3", "latest", signature(1), signature(2)]), max_size=3, unique=True)
manifests = st.lists(st.builds(RegistryManifest, names, numbers.map(digest), tags.map(tuple)), max_size=12)
releases = st.lists(
    st.builds(
        lambda tag, built, taken: needed(tag, "kept", *built, taken=taken), st.sampled_from(["v1", "v2"]),
        *(st.frozensets(st.tuples(names, numbers.map(digest)), max_size=4) for _ in range(2)),
    ),
    max_size=3,
)  # fmt: skip


places = st.tuples(names, numbers.map(digest))
tied = st.builds(ManifestLinks, st.frozensets(places, max_size=6), st.dictionaries(places, places, max_size=6))


@given(manifests, releases, st.frozensets(st.sampled_from(["v1", "v2", "v3"])), tied)
def test_nothing_that_a_kept_release_needs_ever_goes(stored, kept, old, ties):
    wanted = {image for release in kept for image in release.images}
    collected = plan_collection(stored, kept, ties)
    assert not {(fate.repository, fate.digest) for fate in collected.goes} & (wanted | ties.parts)
    retained = plan_retention(stored, kept, {"shop": old})
    for one in stored:
        if (one.repository, one.digest) in wanted and one.tags:
            left = [
                f.tag
                for f in retained.fates
                if f.digest == one.digest and f.repository == one.repository and not f.goes
            ]
            assert left
    published_to = {repository for release in kept for repository, _ in release.built}
    assert {fate.repository for fate in (*collected.goes, *retained.goes)} <= published_to


@given(manifests, releases)
def test_a_signature_of_what_stays_stays(stored, kept):
    sweep = plan_collection(stored, kept)
    going = {(fate.repository, fate.digest) for fate in sweep.goes}
    for one in stored:
        for tag in one.tags:
            about = (one.repository, "sha256:" + tag[7:71])
            if tag.endswith(".sig") and (one.repository, one.digest) in going:
                others = [s for s in stored if (s.repository, s.digest) == about and s is not one]
                assert all(about in going or all(t.endswith(".sig") for t in other.tags) for other in others)
