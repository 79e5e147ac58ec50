"""The scripts that put a release into place, really run: staged, switched, repeated, failed."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from flows.core.deploy.files.staging_scripts import discard_script, stage_script, switch_script
from flows.core.deploy.files.writable import BOTH
from flows.core.release.bundle import File
from tests.support.fake_droplet import FILES, STATEFUL, make_host

pytestmark = pytest.mark.unit


@pytest.fixture
def host(tmp_path):
    return make_host(tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(place: Path) -> dict[Path, tuple[bytes, int]]:
    return {path: (path.read_bytes(), mode(path)) for path in place.rglob("*") if path.is_file()}


def test_a_release_is_staged_and_read_by_compose_before_it_is_current(host):
    done = host.stage("v1.a")
    assert (done.returncode, done.stdout) == (0, b"name: shop\n")
    assert not host.current("").exists()
    assert host.asked() == [
        f"compose --project-name shop --file {host.path}/incoming/v1.a/files/compose.yml "
        f"--file {host.path}/incoming/v1.a/override.yml --file {host.path}/incoming/v1.a/secrets.yml "
        f"--env-file {host.path}/incoming/v1.a/environment config"
    ]


def test_the_current_release_has_its_files_its_state_and_its_command(host):
    host.deploy("v1.a")
    assert os.readlink(host.path / "current") == "releases/v1.a"
    assert host.current("files/run.sh").read_text() == "#!/bin/sh"
    assert host.current("files/settings.json").resolve() == host.path / "shared/settings.json"
    assert host.current("files/uploads").resolve() == host.path / "shared/uploads"
    assert (host.path / "shared/uploads/old").is_dir()
    assert host.current("seed/settings.json").read_text() == "first"


def test_its_command_speaks_to_compose_from_the_current_place(host):
    host.deploy("v1.a")
    host.tell_docker()
    subprocess.run([host.current("compose"), "logs", "two words"], env=host.env, check=True, capture_output=True)
    assert host.asked()[-1].startswith(f"compose --project-name shop --file {host.path}/current/files/compose.yml ")
    assert host.asked()[-1].endswith("logs two words")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", 0o700),
        ("current/environment", 0o600),
        ("current/secrets.yml", 0o600),
        ("current/files/secrets/key", 0o600),
        ("current/files/run.sh", 0o755),
        ("current/files/compose.yml", 0o644),
    ],
)
def test_what_is_secret_is_the_owners_alone(host, path, expected):
    host.deploy("v1.a")
    assert mode(host.path / path) == expected


def test_a_second_release_takes_its_place_and_the_first_stays_beside_it(host):
    host.deploy("v1.a")
    host.deploy("v2.b", {**FILES, "files/run.sh": File(b"new", 0o755)})
    assert os.readlink(host.path / "current") == "releases/v2.b"
    assert (host.path / "releases/v1.a/files/run.sh").read_text() == "#!/bin/sh"
    assert sorted(os.listdir(host.path)) == ["current", "releases", "shared"]


def test_the_same_release_twice_changes_nothing(host):
    host.deploy("v1.a")
    before = host.current("release.json").stat().st_ino
    host.deploy("v1.a")
    assert host.current("release.json").stat().st_ino == before
    assert not (host.path / "incoming").exists()


def test_the_same_release_again_makes_files_what_they_were_in_the_places_that_containers_have_mounted(host):
    host.deploy("v1.a")
    files = {
        path: (path.read_bytes(), mode(path)) for path in (host.path / "releases/v1.a").rglob("*") if path.is_file()
    }
    edited, gone, replaced = (host.current(f"files/{name}") for name in ("compose.yml", "run.sh", "secrets/key"))
    place = edited.stat().st_ino
    edited.write_text("by hand")
    host.current("override.yml").write_text("")
    gone.unlink()
    replaced.unlink()
    replaced.mkdir()
    host.current("files/added by\nhand").write_text("mine")
    host.current("files/run.sh").symlink_to("/etc/passwd")
    host.deploy("v1.a")
    found = {
        path: (path.read_bytes(), mode(path)) for path in (host.path / "releases/v1.a").rglob("*") if path.is_file()
    }
    assert found == files
    assert edited.stat().st_ino == place
    assert not gone.is_symlink()


def test_switching_may_be_repeated(host):
    host.deploy("v1.a")
    assert host.sh(switch_script(host.home, "v1.a")).returncode == 0
    assert os.readlink(host.path / "current") == "releases/v1.a"


def test_what_a_service_wrote_is_never_overwritten(host):
    host.deploy("v1.a")
    (host.path / "shared/settings.json").write_text("written by the service")
    (host.path / "shared/uploads/old/photo").write_text("photo")
    assert host.deploy("v2.b", {**FILES, "seed/settings.json": File(b"second")}) == {"settings.json": BOTH}
    assert host.current("files/settings.json").read_text() == "written by the service"
    assert host.current("files/uploads/old/photo").read_text() == "photo"
    assert os.listdir(host.path / "shared/uploads/old") == ["photo"]


def test_what_is_shipped_below_a_state_directory_is_where_its_readers_look_and_state_stays_shared(host):
    files = {**FILES, "files/uploads/seed.sql": File(b"sql")}
    host.deploy("v1.a", files)
    assert host.current("files/uploads").resolve() == host.path / "shared/uploads"
    assert host.current("files/uploads/seed.sql").read_text() == "sql"
    (host.path / "shared/uploads/seed.sql").write_text("changed by the service")
    host.deploy("v2.b", files)
    assert host.current("files/uploads/seed.sql").read_text() == "changed by the service"


@pytest.mark.parametrize("reason", ["Compose refuses it", "the tar is damaged", "a link cannot be made"])
def test_a_failure_leaves_nothing_on_its_way_and_the_current_release_alone(host, reason):
    host.deploy("v1.a")
    if reason == "Compose refuses it":
        failed = host.stage("v2.b", BROKEN="1")
    elif reason == "the tar is damaged":
        failed = host.sh(stage_script(STATEFUL, host.home, "v2.b", {}), b"no tar")
    else:
        failed = host.stage("v2.b", what=STATEFUL.model_copy(update={"state": ("run.sh/below",)}))
    assert failed.returncode != 0
    assert os.listdir(host.path / "incoming") == []
    assert os.readlink(host.path / "current") == "releases/v1.a"


def test_what_compose_says_of_a_broken_stack_is_passed_on(host):
    failed = host.stage("v1.a", BROKEN="1")
    assert (failed.returncode, failed.stderr) == (15, b"services.web is odd\n")


def test_what_was_left_on_its_way_is_replaced(host):
    left = host.path / "incoming/v1.a/files"
    left.mkdir(parents=True)
    (left / "debris").write_text("x")
    host.deploy("v1.a")
    assert not host.current("files/debris").exists()


def test_discarding_the_first_release_leaves_nothing(host):
    host.stage("v1.a")
    assert host.sh(discard_script(host.home, "v1.a")).returncode == 0
    assert not (host.path / "incoming").exists()
    assert not (host.path / "releases").exists()


def test_discarding_a_later_release_leaves_the_current_one_alone(host):
    host.deploy("v1.a")
    host.stage("v2.b")
    assert host.sh(discard_script(host.home, "v2.b")).returncode == 0
    assert os.listdir(host.path / "incoming") == []
    assert os.listdir(host.path / "releases") == ["v1.a"]
