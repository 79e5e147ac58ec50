"""What is put on a droplet for a release: its content, its scripts word for word, and what secrets turn into."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from flows.core.deploy.droplet_trees import trees_script
from flows.core.deploy.pull import RegistryLogin, keep_tag, pull_script
from flows.core.deploy.reuse import Reuse, reuse_script
from flows.core.deploy.staging import (
    StagedRelease,
    discard_script,
    local_override,
    override_script,
    release_fingerprint,
    secret_contents,
    secrets_override,
    staged_release,
)
from flows.core.deploy.staging_scripts import discard_script, prepare_script, stage_script, switch_script, timed
from flows.core.deploy.writable import Bringing, Change
from flows.core.deploy.writable_scripts import bring_script, look_script
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.docker_commands import CLEAN_DOCKER
from flows.core.errors import MissingEnvironmentFile
from flows.core.release.bundle import File, ReleaseFiles
from flows.core.release.tree import Entry
from flows.core.stack.shipped_files import EnvironmentFile
from tests.support.builders import digest, release

pytestmark = pytest.mark.unit

HOME = StackDirectory("/opt/slip way", "shop")
STATEFUL = release(compose_files=("s/a.yml", "b.yml"), state=("s/up loads", "s/settings.json"))
TREE = {"seed/s/settings.json": Entry("file", 0o644, 2), "files/s/a.yml": Entry("file", 0o644)}

DISCARD = (
    "rm -rf '/opt/slip way/shop/incoming/v1.x'; if rmdir '/opt/slip way/shop/releases' 2>/dev/null; then "
    "rmdir '/opt/slip way/shop/incoming' '/opt/slip way/shop/shared' '/opt/slip way/shop' 2>/dev/null || true; fi"
)
TRAP = shlex.quote(f"code=$?; [ $code -eq 0 ] || {{ {DISCARD}; }}")
CLEAN = shlex.join(CLEAN_DOCKER)
STAGE = f"""\
set -eu
trap {TRAP} EXIT
mkdir -p '/opt/slip way/shop/releases' '/opt/slip way/shop/incoming' '/opt/slip way/shop/shared'
chmod 700 '/opt/slip way/shop'
rm -rf '/opt/slip way/shop/incoming/v1.x' && mkdir '/opt/slip way/shop/incoming/v1.x'
tar -xzpf - -C '/opt/slip way/shop/incoming/v1.x' --no-same-owner
(umask 077 && {CLEAN} compose --project-name shop --file '/opt/slip way/shop/incoming/v1.x/files/s/a.yml' \
--file '/opt/slip way/shop/incoming/v1.x/files/b.yml' --file '/opt/slip way/shop/incoming/v1.x/override.yml' \
--file '/opt/slip way/shop/incoming/v1.x/secrets.yml' --env-file '/opt/slip way/shop/incoming/v1.x/environment' config \
>'/opt/slip way/shop/incoming/v1.x/config.yml')
mkdir -p '/opt/slip way/shop/shared/s/up loads'
mkdir -p '/opt/slip way/shop/incoming/v1.x/files/s'
rm -rf '/opt/slip way/shop/incoming/v1.x/files/s/settings.json'
ln -s '/opt/slip way/shop/shared/s/settings.json' '/opt/slip way/shop/incoming/v1.x/files/s/settings.json'
mkdir -p '/opt/slip way/shop/incoming/v1.x/files/s'
rm -rf '/opt/slip way/shop/incoming/v1.x/files/s/up loads'
ln -s '/opt/slip way/shop/shared/s/up loads' '/opt/slip way/shop/incoming/v1.x/files/s/up loads'
cat '/opt/slip way/shop/incoming/v1.x/config.yml'
"""

SWITCH = """\
set -eu
[ -d '/opt/slip way/shop/releases/v1.x' ] || mv '/opt/slip way/shop/incoming/v1.x' '/opt/slip way/shop/releases/v1.x'
ln -sfn releases/v1.x '/opt/slip way/shop/current.new'
mv -T '/opt/slip way/shop/current.new' '/opt/slip way/shop/current'
rm -rf '/opt/slip way/shop/incoming' '/opt/slip way/shop/bringing'
"""

CHANGES = (
    Change("all", "up loads"), Change("delete", "it's", Entry("file", digest="f00")), Change("remove-directory", "d"),
    Change("directory", "e", mode=0o750), Change("put", "e/$x\ny", None, 0o600), Change("mode", "a", None, 0o644),
)  # fmt: skip
SCRIPTS = {
    "prepare": prepare_script(HOME, "v1.x"),
    "stage": stage_script(STATEFUL, HOME, "v1.x", TREE),
    "stage what is prepared": stage_script(STATEFUL, HOME, "v1.x", TREE, prepared=True),
    "trees": trees_script(HOME, "0" * 64, "v1.x"),
    "reuse": reuse_script("/a", "/b c", Reuse({"files/a": "files/a", "files/b/c": "files/$c/c"})).decode(),
    "look": look_script(HOME, ["up loads", "it's"], ["up loads"]).decode(),
    "bring": bring_script(HOME, "v1.x", Bringing(CHANGES)).decode(),
    "switch": switch_script(HOME, "v1.x"),
    "discard": discard_script(HOME, "v1.x"),
    "pull": pull_script([f"host/web@{digest('a')}", f"host/db@{digest('b')}"], RegistryLogin("host:5000", "it's me")),
}


def test_staging_is_these_lines():
    assert SCRIPTS["stage"] == STAGE


def test_switching_is_these_lines():
    assert SCRIPTS["switch"] == SWITCH


def test_discarding_removes_what_was_on_its_way_and_nothing_else():
    assert SCRIPTS["discard"] == f"{DISCARD}\n"


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_every_script_is_good_shell(script):
    checked = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_every_script_passes_shellcheck(script):
    # SC2016, SC2154: the trap's own variable, in single quotes on purpose.
    argv = ["shellcheck", "-s", "sh", "-e", "SC2016,SC2154", "-"]
    checked = subprocess.run(argv, input=script, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")


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


@pytest.mark.parametrize("tag", ["", ":16"])
def test_the_tag_that_keeps_an_image_is_made_of_its_digest(tag):
    assert keep_tag(f"localhost:5000/db{tag}@{digest('c')}") == f"localhost:5000/db:slipway-{'c' * 16}"


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


def test_the_override_is_written_anew_for_its_owner_alone(tmp_path):
    home = StackDirectory(str(tmp_path / "it's here"), "shop")
    place = Path(home.incoming("v1.x"))
    place.mkdir(parents=True)
    subprocess.run(["sh", "-c", override_script(home, "v1.x")], input=b"services: {}", check=True)
    assert (place / "secrets.yml").read_bytes() == b"services: {}"
    assert (place / "secrets.yml").stat().st_mode & 0o777 == 0o600
