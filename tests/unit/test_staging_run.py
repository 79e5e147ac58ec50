"""The scripts that put a release into place, really run by `sh` in a directory of their own, with a `docker` that only
says what it was asked."""

import json
import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from builders import digest, release

from flows.core.bundle import File
from flows.core.facts import facts_script, read_facts
from flows.core.layout import Home
from flows.core.pull import LOGIN_FAILED, PULL_FAILED, Account, pull_script
from flows.core.staging import discard_script, stage_script, staging_tar, switch_script

pytestmark = pytest.mark.unit

DOCKER = """\
#!/bin/sh
echo "$*" >>"$RECORD"
case $1 in
login) cat >"$RECORD.password"; cp "$DOCKER_CONFIG/config.json" "$RECORD.config" 2>/dev/null; exit "${LOGIN:-0}" ;;
pull) case $3 in *"${REFUSE:-nothing}"*) echo "no $3" >&2; exit 1 ;; esac ;;
info) cat "$RECORD.info" ;;
compose) [ "${BROKEN:-}" ] && { echo 'services.web is odd' >&2; exit 15; }; echo 'name: shop' ;;
esac
exit 0
"""
FILES = {
    "release.json": File(b'{"tag": "v1"}'),
    "override.yml": File(b"services: {}"),
    "files/compose.yml": File(b"services: {}"),
    "files/run.sh": File(b"#!/bin/sh", 0o755),
    "seed/settings.json": File(b"first"),
}
SECRETS = {"secrets/key": File(b"k", 0o600)}
STATEFUL = release(compose_files=("compose.yml",), state=("uploads", "uploads/old", "settings.json"))


@dataclass(frozen=True)
class Host:
    """A directory that plays a droplet."""

    root: Path
    home: Home
    env: dict

    @property
    def path(self) -> Path:
        return Path(self.home.path)

    def sh(self, script: str, stdin: bytes = b"", **env: str) -> subprocess.CompletedProcess:
        return subprocess.run(["sh", "-c", script], input=stdin, env=self.env | env, capture_output=True, check=False)

    def stage(self, name: str, files: dict = FILES, what=STATEFUL, **env: str) -> subprocess.CompletedProcess:
        seeds = {path: file for path, file in files.items() if path.startswith("seed/")}
        tar = staging_tar(what, files, {"A": "1"}, SECRETS, self.home)
        return self.sh(stage_script(what, self.home, name, seeds), tar, **env)

    def deploy(self, name: str, files: dict = FILES, what=STATEFUL) -> None:
        for done in (self.stage(name, files, what), self.sh(switch_script(self.home, name))):
            assert (done.returncode, done.stderr) == (0, b"")

    def current(self, path: str) -> Path:
        return self.path / "current" / path

    def asked(self) -> list[str]:
        return Path(self.env["RECORD"]).read_text().splitlines()


@pytest.fixture
def host(tmp_path) -> Host:
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin/docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    directory = tmp_path / "it's a $PLACE"
    env = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path), "RECORD": str(tmp_path / "asked")}
    return Host(tmp_path, Home(str(directory), "shop"), {**env, "TMPDIR": str(tmp_path), "LC_ALL": "C"})


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


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
    assert not host.current("seed").exists()


def test_its_command_speaks_to_compose_from_the_current_place(host):
    host.deploy("v1.a")
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
    assert sorted(os.listdir(host.path)) == ["current", "incoming", "releases", "shared"]


def test_the_same_release_twice_changes_nothing(host):
    host.deploy("v1.a")
    before = host.current("release.json").stat().st_ino
    host.deploy("v1.a")
    assert host.current("release.json").stat().st_ino == before
    assert os.listdir(host.path / "incoming") == []


def test_switching_may_be_repeated(host):
    host.deploy("v1.a")
    assert host.sh(switch_script(host.home, "v1.a")).returncode == 0
    assert os.readlink(host.path / "current") == "releases/v1.a"


def test_a_seed_is_copied_once_and_state_is_never_overwritten(host):
    host.deploy("v1.a")
    (host.path / "shared/settings.json").write_text("written by the service")
    (host.path / "shared/uploads/old/photo").write_text("photo")
    host.deploy("v2.b", {**FILES, "seed/settings.json": File(b"second")})
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


WEB, DB = f"host/web@{digest('a')}", f"host/db@{digest('b')}"
ACCOUNT = Account("registry.example.com:5000", "it's me")


def test_images_are_pulled_after_a_login_by_standard_input_and_tagged(host):
    done = host.sh(pull_script([WEB, DB], ACCOUNT), b"pass word")
    assert done.returncode == 0
    login, *pulls, first, second = host.asked()
    assert login == "login --username it's me --password-stdin registry.example.com:5000"
    assert sorted(pulls) == [f"pull --quiet {DB}", f"pull --quiet {WEB}"]
    assert (first, second) == (f"tag {WEB} host/web:slipway-{'a' * 16}", f"tag {DB} host/db:slipway-{'b' * 16}")
    assert Path(f"{host.env['RECORD']}.password").read_bytes() == b"pass word"


OWN = (
    '{"auths": {"ghcr.io": {"auth": "x"}}, "credsStore": "pass", "credHelpers": {"registry.example.com:5000": "doctl", "x": "ecr"}}'
)


def test_the_droplets_own_logins_count_and_its_credential_store_is_not_asked_to_keep_ours(host):
    (host.root / ".docker").mkdir()
    own = host.root / ".docker/config.json"
    own.write_text(OWN)
    assert host.sh(pull_script([WEB], ACCOUNT), b"x").returncode == 0
    used = Path(f"{host.env['RECORD']}.config").read_text()
    config = json.loads(used)
    assert config["auths"] == {"ghcr.io": {"auth": "x"}}
    assert not config.get("credsStore")
    assert config["credHelpers"].get("registry.example.com:5000") is None
    assert config["credHelpers"]["x"] == "ecr"
    assert own.read_text() == OWN


@pytest.mark.parametrize(("env", "code"), [({}, 0), ({"LOGIN": "1"}, LOGIN_FAILED), ({"REFUSE": "db"}, PULL_FAILED)])
def test_the_login_is_gone_afterwards_however_it_ends(host, env, code):
    done = host.sh(pull_script([WEB, DB], ACCOUNT), b"x", **env)
    assert done.returncode == code
    assert sorted(os.listdir(host.root)) == ["asked", "asked.password", "bin"]


def test_a_pull_that_fails_lets_the_others_end_and_says_which_it_was(host):
    done = host.sh(pull_script([DB, WEB], ACCOUNT), b"x", REFUSE="db")
    assert f"pull --quiet {WEB}" in host.asked()
    assert done.stderr.decode() == f"no {DB}\n"


def test_facts_of_a_droplet_that_has_nothing_yet(host):
    Path(f"{host.env['RECORD']}.info").write_text(
        '{"ServerVersion":"26.1.5","OSType":"linux","Architecture":"x86_64","DockerRootDir":"/","Name":"a\\tb",'
        '"ClientInfo":{"Plugins":[{"Name":"compose","Version":"2.26.1"}]}}'
    )
    facts = read_facts(host.sh(facts_script("shop", host.home.path, [WEB])).stdout.decode())
    assert (facts.engine, facts.compose, facts.platform) == ("26.1.5", "2.26.1", "linux/amd64")
    assert facts.free > 0
    assert (facts.containers, facts.present, facts.current, facts.current_name) == ((), frozenset(), "", "")


def test_facts_know_the_current_release(host):
    Path(f"{host.env['RECORD']}.info").write_text("{}")
    host.deploy("v1.a")
    facts = read_facts(host.sh(facts_script("shop", host.home.path)).stdout.decode())
    assert (facts.current, facts.current_name) == ('{"tag": "v1"}', "v1.a")
