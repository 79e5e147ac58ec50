"""What stands on a droplet of a colour: the script really run in a directory, and what its output is read into."""

import json
import subprocess
from pathlib import Path

import pytest

from flows.core.deploy.deployed_state import DeployedState, deployed_state_script, read_deployed_state
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.sections import sections
from flows.core.errors import BadRelease
from flows.core.records.storage import records_tar, write_records
from flows.core.stack.env_files import render
from tests.support import assert_good_shell
from tests.support.builders import HOST, pinned, record, release
from tests.support.fake_droplet import make_host

pytestmark = pytest.mark.unit

DOCKER = """\
#!/bin/sh
case "$1 $2" in
"ps --all") cat ids ;;
"inspect --format") echo sha256:image ;;
"inspect "*) cat containers ;;
"image inspect") cat images ;;
*) echo "not meant to be asked: $*" >&2; exit 1 ;;
esac
"""
WEB, JOB = pinned("web"), pinned("job", "b")
RELEASE = release(services={"web": WEB, "job": JOB, "spare": pinned("spare")})
CONFIG = f"""\
name: shop
services:
  web: {{image: {HOST}/web:1, restart: always}}
  job: {{image: {HOST}/job:1}}
  spare: {{image: {HOST}/spare:1, scale: 0}}
"""
SENTINEL = "sentinel-of-a-secret"
ENVIRONMENT = {"PASSWORD": SENTINEL, "MODE": "fast", "REGISTRY": "registry.example.com", "IMAGE_TAG": "v1"}


def inspected(service: str, state: str = "running", image: str = "1") -> dict:
    labels = {"com.docker.compose.service": service, "com.docker.compose.oneoff": "False"}
    said = {"Id": service, "Name": f"/shop-{service}-1", "Image": f"sha256:{image}"}
    return {**said, "State": {"Status": state}, "Config": {"Image": service, "Labels": labels}}


WELL = (inspected("web"), inspected("job", "exited", "2"))


@pytest.fixture
def host(tmp_path):
    made = make_host(tmp_path)
    (tmp_path / "bin/docker").write_text(DOCKER)
    return made


def run(host, *containers: dict) -> subprocess.CompletedProcess:
    """Run the script with an engine that knows these containers, and their images by digest."""
    digests = {"sha256:1": [WEB], "sha256:2": [JOB]}
    images = [json.dumps({"id": image, "digests": known}) for image, known in digests.items()]
    (host.root / "ids").write_text(" ".join(one["Id"] for one in containers))
    (host.root / "containers").write_text(f"{json.dumps(containers)}\n")
    (host.root / "images").write_text("".join(f"{image}\n" for image in images))
    script = deployed_state_script(host.home)
    return subprocess.run(["sh", "-c", script], cwd=host.root, env=host.env, capture_output=True, text=True, check=True)


def look(host, *containers: dict) -> DeployedState:
    return read_deployed_state(run(host, *containers).stdout, host.home, "green")


def put(host, environment: dict = ENVIRONMENT, config: str = CONFIG) -> None:
    at = Path(host.home.release("v1.0"))
    at.mkdir(parents=True)
    Path(host.home.current).symlink_to("releases/v1.0")
    (at / "release.json").write_bytes(RELEASE.document())
    (at / "config.yml").write_text(config)
    (at / "environment").write_bytes(render(environment))
    assert host.sh(write_records(host.home), records_tar([record(3, "v1"), record(4, "v2")])).returncode == 0


def test_an_empty_droplet_carries_nothing(host):
    assert look(host) == DeployedState("green")
    assert look(host).mark == "green - -"


def test_a_droplet_is_read_with_release_record_stack_and_what_runs(host):
    put(host)
    found = look(host, *WELL)
    assert (found.droplet, found.release, found.record) == ("green", RELEASE, record(3, "v1"))
    assert set(found.stack.services) == {"web", "job", "spare"}
    assert (found.wrong, found.mark) == ((), "green 3 v1.0")


def test_values_of_the_environment_are_hashed_as_soon_as_they_are_read(host):
    put(host)
    found = look(host, *WELL)
    assert set(found.environment) == {"PASSWORD", "MODE"}
    assert SENTINEL not in repr(found)
    assert {len(hashed) for hashed in found.environment.values()} == {16}


def test_another_value_has_another_hash_and_the_same_one_the_same(tmp_path):
    found = []
    for number, mode in enumerate(("fast", "fast", "slow")):
        (tmp_path / str(number)).mkdir()
        one = make_host(tmp_path / str(number))
        (one.root / "bin/docker").write_text(DOCKER)
        put(one, {"MODE": mode})
        found.append(look(one).environment)
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("containers", "wrong"),
    [
        ([WELL[0]], ["job has no container"]),
        ([WELL[0], inspected("job", "exited", "1")], [f"shop-job-1 runs {WEB}, not {JOB}"]),
        ([inspected("web", "exited"), WELL[1]], ["web is exited"]),
        ([inspected("web", "restarting"), WELL[1]], ["web is restarting"]),
        ([*WELL, inspected("else")], ["else runs, and is not part of the release"]),
    ],
    ids=["missing", "another image", "ended", "restarting", "an orphan"],
)
def test_what_runs_otherwise_than_the_release_says_is_told(host, containers, wrong):
    put(host)
    assert list(look(host, *containers).wrong) == wrong


def test_a_damaged_release_is_refused(host):
    put(host)
    Path(host.home.release("v1.0"), "release.json").write_text("{}")
    with pytest.raises(BadRelease):
        look(host)


def test_looking_changes_nothing(host):
    put(host)
    before = sorted((path, path.lstat().st_mtime_ns) for path in host.path.rglob("*"))
    assert run(host, *WELL).stderr == ""
    assert sorted((path, path.lstat().st_mtime_ns) for path in host.path.rglob("*")) == before


def test_an_engine_that_does_not_answer_ends_the_script(host):
    put(host)
    (host.root / "bin/docker").write_text("#!/bin/sh\necho 'no engine' >&2; exit 1\n")
    done = host.sh(deployed_state_script(host.home))
    assert (done.returncode, done.stderr) == (1, b"no engine\n")
    assert sections(done.stdout.decode())["release"]


def test_the_script_is_good_shell():
    assert_good_shell(deployed_state_script(StackDirectory("/opt/it's", "shop")), "SC2086", "SC2046")


def test_where_running_containers_have_volumes_without_a_name_is_known(host):
    put(host)
    volume = {"Type": "volume", "Name": "0f" * 32}
    web = {**inspected("web"), "Mounts": [{**volume, "Destination": place} for place in ("/b", "/a", "/a")]}
    job = {**inspected("job", "exited", "2"), "Mounts": [{**volume, "Destination": "/data"}]}
    assert look(host, web, job).nameless == {"web": ("/a", "/b")}
