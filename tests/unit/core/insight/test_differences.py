"""How two releases differ; what one of them does not say is unknown, and no secret is shown."""

import json
from typing import Any

import pytest

from flows.core.insight.comparison.contents import (
    ReleaseContents,
    all_files,
    written_keys,
    written_networks,
    written_settings,
)
from flows.core.insight.comparison.differences import NamedDifference, compare_releases
from flows.core.release.bundle import File
from flows.core.release.tree import Entry
from tests.support.builders import image, pinned, release

pytestmark = pytest.mark.unit

OLD, NEW = pinned("web", "a"), pinned("web", "b")
BEFORE = release(services={"web": OLD}, images={OLD: image(("base", 1000), ("x", 10))})
AFTER = release(tag="v2", services={"web": NEW}, images={NEW: image(("base", 1000), ("y", 30))})


def contents(whole=BEFORE, config: dict[str, Any] | None = None, **more) -> ReleaseContents:
    written = {}
    if config is not None:
        written = {
            "settings": written_settings(config),
            "keys": written_keys(config),
            "networks": written_networks(config),
        }
    return ReleaseContents(whole.tag, whole, **written, **more)


def of(**services: Any) -> dict[str, Any]:
    return {"services": services}


def compared(old: dict[str, Any], new: dict[str, Any]):
    return compare_releases(contents(config=old), contents(config=new))


def test_digests_and_sizes_are_told_and_equal_images_only_counted():
    both = {"web": OLD, "db": pinned("db")}
    old = release(services=both, images={OLD: image(("base", 1000)), pinned("db"): image()})
    new = release(tag="v2", services={**both, "web": NEW, "more": OLD},
                  images={NEW: image(("base", 1000), ("y", 30)), OLD: image(), pinned("db"): image()})  # fmt: skip
    found = compare_releases(contents(old), contents(new))
    assert [(one.service, one.how, one.old_size, one.new_size) for one in found.services] == [
        ("more", "added", None, None), ("web", "changed", 1000, 1030),
    ]  # fmt: skip
    assert (found.same, found.services[1].grows, found.services[0].grows) == (1, 30, None)
    assert found.sentence == "v1 → v2: they differ in 2 services."


def test_a_mirrored_image_of_the_same_digest_is_the_same():
    old, new = (release(services={"web": f"{host}/web@{OLD.partition('@')[2]}"}) for host in ("a.example", "b.example"))
    assert compare_releases(contents(old), contents(new)).services == ()


def test_packages_are_compared_where_both_have_an_sbom():
    listed = {OLD: {"deb openssl": "3.0", "deb gone": "1"}, NEW: {"deb openssl": "3.1"}}
    found = compare_releases(contents(BEFORE, packages=listed), contents(AFTER, packages=listed))
    assert found.compared == ("web",)
    assert found.packages == (
        NamedDifference("web", "deb gone", "removed", "1", ""),
        NamedDifference("web", "deb openssl", "changed", "3.0", "3.1"),
    )
    without = compare_releases(contents(BEFORE, packages={OLD: {}}), contents(AFTER))
    assert (without.packages, without.compared) == ((), ())
    assert without.notes == ("packages are not known of web: no SBOM by a key that is trusted",)


def test_files_differ_by_content_and_by_mode_and_no_content_is_shown():
    own = {
        "files/compose.yml": File(b"a"),
        "release.json": File(b"{}"),
        "override.yml": File(b""),
        "tree.json": File(b""),
    }
    old = {"files/a": Entry("file", 0o644, 3, "1"), "files/b": Entry("file", 0o644, 3, "2")}
    old |= {"files/d": Entry("directory", 0o755), "seed/s": Entry("given", 0o600, target="key")}
    new = {**old, "files/a": Entry("file", 0o755, 3, "1"), "files/\x1b[2Jx": Entry("link", 0o777, target="../\x1b[1m")}
    del new["files/b"]
    found = compare_releases(
        contents(files=all_files(own, old)), contents(files=all_files(own | {"files/compose.yml": File(b"b!")}, new))
    )
    assert [(one.name, one.how, one.old, one.new) for one in found.files] == [
        ("\\x1b[2Jx", "added", "", "777 link to ../\\x1b[1m"),
        ("a", "changed", "644 3 bytes", "755 3 bytes"),
        ("b", "removed", "644 3 bytes", ""),
        ("compose.yml", "changed", "644 1 bytes", "644 2 bytes"),
    ]


def test_settings_in_effect_are_told_with_what_they_were_and_are():
    old = of(web={"ports": ["80:80"], "healthcheck": {"interval": "30s"}, "build": {"context": "."}, "image": "a"})
    new = of(web={"ports": ["81:80"], "healthcheck": {"interval": "10s"}, "command": ["run", "--fast"], "image": "b"})
    assert compared(old, new).settings == (
        NamedDifference("web", "command", "added", "", "run, --fast"),
        NamedDifference("web", "healthcheck.interval", "changed", "30s", "10s"),
        NamedDifference("web", "ports", "changed", "80:80", "81:80"),
    )
    same = of(web={"ports": ["80:80"], "healthcheck": {"interval": "30s"}})
    assert compared(old, same).settings == ()


def test_environment_keys_are_told_by_name_and_no_value_is():
    found = compared(
        of(web={"environment": {"A": "s3cret-one", "B": "${B}"}}), of(web={"environment": ["A=s3cret-two", "C"]})
    )
    assert [(one.name, one.how) for one in found.keys or ()] == [("A", "changed"), ("B", "removed"), ("C", "added")]
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    "spec",
    [
        {"command": ["serve", "--password=hunter2hunter2"]},
        {"command": "serve --api-key hunter2hunter2"},
        {"labels": {"auth.token": "hunter2hunter2"}},
        {"command": ["echo", "hunter2hunter2"], "environment": {"SECRET": "hunter2hunter2"}},
    ],
)  # fmt: skip
def test_what_looks_secret_in_a_setting_is_not_shown_but_that_it_changed_is(spec):
    other = json.loads(json.dumps(spec).replace("hunter2hunter2", "swordfish-9999"))
    found = compared(of(web=spec), of(web={**other, "tty": True}))
    assert "hunter2" not in repr(found)
    assert "swordfish" not in repr(found)
    assert len(found.settings or ()) == 2


def test_the_content_of_a_config_is_not_shown():
    found = compared({**of(), "configs": {"c": {"content": "one"}}}, {**of(), "configs": {"c": {"content": "two"}}})
    assert found.settings == (NamedDifference("", "configs.c.content", "changed", "(not shown)", "(not shown)"),)


def test_what_one_of_them_does_not_say_is_unknown_and_never_a_difference():
    known, unknown = contents(config=of(web={"tty": True})), contents(notes=("why",))
    found = compare_releases(known, unknown)
    assert (found.settings, found.keys, found.variables, found.notes) == (None, None, None, ("why",))
    assert found.as_json()["settings"] is None
    assert found.sentence == "v1 → v1: no difference was found."


def test_variables_of_two_droplets_are_compared_by_their_hashes():
    found = compare_releases(
        contents(variables={"A": "1", "B": "2"}), contents(variables={"A": "1", "B": "3", "C": "4"})
    )
    assert [(one.name, one.how) for one in found.variables or ()] == [("B", "changed"), ("C", "added")]
