"""What is put on a droplet for a release: its content, and what secrets turn into."""

import os
import shlex

import pytest
import yaml

from flows.core.deploy.files.staging import (
    StagedRelease,
    local_override,
    release_fingerprint,
    secret_contents,
    secrets_override,
    staged_release,
)
from flows.core.deploy.files.staging_scripts import (
    timed,
)
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.docker_commands import CLEAN_DOCKER
from flows.core.errors import MissingEnvironmentFile
from flows.core.release.bundle import File, ReleaseFiles
from flows.core.release.tree import Entry
from flows.core.stack.files.shipped_files import EnvironmentFile
from tests.support.builders import release

pytestmark = pytest.mark.unit

HOME = StackDirectory("/opt/slip way", "shop")
CLEAN = shlex.join(CLEAN_DOCKER)


def staged(files: dict, tree: dict | None = None, secrets: dict | None = None, **more) -> StagedRelease:
    return staged_release(release(**more), ReleaseFiles(files, tree), {"A": "1"}, secrets or {}, HOME)


def test_a_release_s_directory_holds_everything_and_what_is_secret_is_the_owners_alone():
    files = {
        "release.json": File(b"{}"),
        "override.yml": File(b"services: {}"),
        "files/run.sh": File(b"#!/bin/sh", 0o755),
        "seed/settings.json": File(b"{}"),
    }
    found = staged(files, secrets={"key.txt": File(b"secret", 0o600)})
    assert {name: file.mode for name, file in found.content.items()} == {
        "release.json": 0o644,
        "override.yml": 0o644,
        "files/run.sh": 0o755,
        "files/key.txt": 0o600,
        "seed/settings.json": 0o644,
        "environment": 0o600,
        "secrets.yml": 0o600,
        "compose": 0o755,
    }
    assert set(found.tree) == {"files/run.sh", "files/key.txt", "seed/settings.json"}
    command = found.content["compose"].content.decode()
    assert found.content["environment"].content == b"A='1'\n"
    assert command.splitlines()[0] == "#!/bin/sh"
    expected = f"exec {CLEAN} compose --project-name shop --file '/opt/slip way/shop/cur"
    assert command.splitlines()[-1].startswith(expected)


GIVEN = Entry("given", 0o640, target="conf/app.env")


def test_a_file_from_the_environment_stands_under_every_name_that_it_has():
    tree = {"files/conf/app.env": GIVEN, "files/conf/copy": Entry("given", 0o644, target="conf/app.env")}
    found = staged({}, tree, {"conf/app.env": File(b"A=1", 0o600)})
    assert {name: (file.content, file.mode) for name, file in found.content.items() if "conf" in name} == {
        "files/conf/app.env": (b"A=1", 0o640),
        "files/conf/copy": (b"A=1", 0o644),
    }
    assert found.published == ()


def test_a_file_that_the_environment_need_not_hold_is_left_out():
    assert staged({}, {"files/conf/app.env": GIVEN}).tree == {}


def test_in_a_directory_that_services_write_to_it_is_brought_and_compose_still_finds_it():
    found = staged({}, {"seed/conf/app.env": GIVEN}, {"conf/app.env": File(b"A=1", 0o600)}, state=("conf",))
    assert set(found.tree) == {"seed/conf/app.env"}
    assert {"files/conf/app.env", "seed/conf/app.env"} <= set(found.content)


def test_what_version_0_1_published_for_readers_of_a_written_directory_is_brought_too():
    found = staged({"files/uploads/seed.sql": File(b"sql"), "files/a": File(b"a")}, state=("uploads",))
    assert set(found.tree) == {"seed/uploads/seed.sql", "files/a"}


def test_a_file_that_was_there_keeps_its_time():
    tree = {"files/a": Entry("file", digest="1"), "files/b": Entry("file", digest="2")}
    times = timed(tree, 50, {"files/a": Entry("file", digest="1", changed=7)})
    assert {name: entry.changed for name, entry in times.items()} == {"files/a": 7, "files/b": 50}


NEEDED = (
    EnvironmentFile(path="s/app.env"),
    EnvironmentFile(path="key.txt", secret=True, mode=0o440),
    EnvironmentFile(path="s/more.env", required=False),
)


def test_secret_files_are_found_by_the_paths_the_compose_file_has():
    wanting = release(compose_files=("s/compose.yml",), environment_files=NEEDED)
    assert secret_contents(wanting, {"./app.env": b"A=1", "../key.txt": b"k\r\n\xff", "other": b"x"}) == {
        "s/app.env": File(b"A=1", 0o600),
        "key.txt": File(b"k\r\n\xff", 0o440),
    }


def test_every_missing_secret_file_is_named_and_no_content_is():
    wanting = release(compose_files=("s/compose.yml",), environment_files=NEEDED)
    with pytest.raises(MissingEnvironmentFile, match=r"stack shop needs \.\./key\.txt, app\.env, which") as error:
        secret_contents(wanting, {"elsewhere": b"sentinel"})
    assert "sentinel" not in str(error.value)


FILES = {"files/a": File(b"1", 0o644)}
SECRETS = {"key": File(b"k", 0o600)}


@pytest.mark.parametrize(
    "changed",
    [
        ({"files/a": File(b"2", 0o644)}, {"A": "1"}, SECRETS),
        ({"files/a": File(b"1", 0o755)}, {"A": "1"}, SECRETS),
        ({"files/b": File(b"1", 0o644)}, {"A": "1"}, SECRETS),
        (FILES, {"A": "2"}, SECRETS),
        (FILES, {"A": "1"}, {"key": File(b"l", 0o600)}),
        (FILES, {"A": "1"}, {"key": File(b"k", 0o440)}),
        ({}, {"A": "1"}, {"a": File(b"1", 0o644), **SECRETS}),
    ],
    ids=["content", "mode", "name", "variable", "secret", "secret's mode", "file that became a secret"],
)
def test_whatever_changes_is_put_into_a_directory_of_its_own(changed):
    before = release_fingerprint(FILES, {"A": "1"}, SECRETS)
    assert release_fingerprint(*changed) != before
    assert release_fingerprint(FILES, {"A": "1"}, SECRETS) == before


def test_a_changed_secret_changes_the_label_of_its_readers_alone():
    readers = {"web": ("key",), "job": ("key", "other"), "db": ("other",), "x": ("absent",)}

    def labels(key: bytes, seed: str = "shop") -> dict:
        said = secrets_override(readers, {"key": File(key), "other": File(b"o")}, seed)
        return {name: spec["labels"] for name, spec in said.items()}

    before, after = labels(b"1"), labels(b"2")
    assert sorted(before) == ["db", "job", "web"]
    assert [name for name in before if before[name] != after[name]] == ["job", "web"]
    assert labels(b"1", "another stack")["web"] != before["web"]
    assert len(before["web"]["dev.slipway.secrets"]) == 16


def test_paths_of_a_droplet_hang_below_the_stacks_own():
    assert (HOME.current, HOME.shared) == ("/opt/slip way/shop/current", "/opt/slip way/shop/shared")
    assert os.path.dirname(HOME.incoming("x")) != os.path.dirname(HOME.release("x"))


def test_the_override_of_a_droplet_holds_the_labels_of_secrets_and_of_contents():
    what = release(secret_readers={"web": ("secrets/key",)})
    role = {"services": {"web": {"depends_on": {}}, "job": {"profiles": ["elsewhere"]}}}
    said = yaml.safe_load(local_override(what, {"secrets/key": File(b"k")}, role, {"web": "c1", "api": "c2"}))
    assert said["services"]["api"] == {"labels": {"dev.slipway.content": "c2"}}
    assert said["services"]["job"] == {"profiles": ["elsewhere"]}
    assert said["services"]["web"]["depends_on"] == {}
    assert set(said["services"]["web"]["labels"]) == {"dev.slipway.secrets", "dev.slipway.content"}
    assert said["services"]["web"]["labels"]["dev.slipway.content"] == "c1"
