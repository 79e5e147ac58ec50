"""What is explained of a stack's files is what a release does with them."""

import json
import subprocess
from pathlib import Path

import pytest

from flows.core.errors import Refused
from flows.core.explanation.explanation import ExplainedMount, Explanation
from flows.settings import Settings
from flows.tasks.explanation.explain_stack import explain_stack
from flows.tasks.release.files.looking import find_shipment, refuse_credentials
from flows.tasks.stack.source import read_stack
from tests.support.files.checkout import GIT
from tests.support.stack.compose_client import needs_compose, write_files

pytestmark = [pytest.mark.unit, needs_compose]

SECRET = "a-value-nobody-may-see-4711"
WEB = "services: {web: {image: x, env_file: [conf/app.env], volumes: [%s]%s}}"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n"
FILES = {
    "compose.yaml": WEB % ("'./conf:/conf:ro', './data:/data'", ""),
    ".gitignore": "*.log\n",
    ".slipwayignore": "draft*\n",
    "conf/app.env": f"PASSWORD={SECRET}\n",
    "conf/copy-of-it": f"PASSWORD={SECRET}\n",
    "conf/app.conf": "a=1\n",
    "conf/run.log": "much\n",
    "conf/draft.conf": "b=2\n",
    "data/seed.sql": "select 1;\n",
}


def checkout(directory: Path, files: dict[str, str]) -> Path:
    write_files(directory, files)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*GIT, "-C", directory, *words], check=True, capture_output=True)
    return directory


def explained(directory: Path) -> Explanation:
    return explain_stack(str(directory), None, Settings())


def mounts(explanation: Explanation) -> dict[str, ExplainedMount]:
    return {one.source: one for one in explanation.mounts}


def refusals(explanation: Explanation) -> list[tuple[str, str]]:
    return [(one.error, one.message) for one in explanation.refusals]


def released(directory: Path):
    """What a release of the same checkout finds, or what it refuses."""
    try:
        source = read_stack.fn(str(directory), Settings(), "registry", "tag", {}, {"conf/app.env": b"PASSWORD=x"})
        shipment, suspects = find_shipment(source.sources, {}, Settings())
        refuse_credentials(suspects)
    except Refused as error:
        return type(error).__name__, str(error)
    return {one.path: (one.files, one.size) for one in shipment.mounted}


def test_a_mounted_directory_ships_without_its_env_files_and_what_is_left_out_is_told(tmp_path):
    found = explained(checkout(tmp_path, FILES))
    conf = mounts(found)["conf"]
    assert found.accepted
    assert (conf.fate, conf.files, conf.what) == ("ships", 1, "ships with the release: 1 file (4 bytes)")
    assert conf.notes == (
        "conf/app.env, conf/copy-of-it: by the environment block, not with it",
        "conf/draft.conf: left out, .slipwayignore names it",
        "conf/run.log: left out, git ignores it (to ship it: !PATH in .slipwayignore)",
    )
    assert mounts(found)["data"].what.startswith(
        "the repository's and the service's: the release brings 1 file (10 bytes); what services write there stays"
    )
    assert SECRET not in json.dumps(found.as_json())


def test_its_numbers_are_those_of_a_release(tmp_path):
    directory = checkout(tmp_path, FILES)
    found = {path: (one.files, one.size) for path, one in mounts(explained(directory)).items()}
    assert found == released(directory) == {"conf": (1, 4), "data": (1, 10)}


BAD = {
    "a private key": {"conf/tls.txt": KEY},
    "an env file by another name": {"conf/.env.local": "A=1"},
    "a rule for no mount": {"compose.yaml": WEB % ("'./conf:/c:ro'", ", x-slipway: {mounts: {./x: take}}")},
    "a volume on the compose files": {
        "compose.yaml": WEB % ("'all:/c', './conf:/d:ro'", "")
        + "\nvolumes: {all: {driver: local, driver_opts: {type: none, o: bind, device: .}}}"
    },
}


@pytest.mark.parametrize("files", BAD.values(), ids=BAD)
def test_what_a_release_refuses_is_refused_in_the_same_words_and_the_rest_is_told(tmp_path, files):
    directory = checkout(tmp_path, {**FILES, **files})
    found = explained(directory)
    assert refusals(found) == [released(directory)]
    assert mounts(found)["conf"].fate == "ships"
    assert "web" in {one.name for one in found.services}


def test_a_link_that_leads_out_is_refused_and_no_number_is_told(tmp_path):
    write_files(tmp_path, FILES)
    (tmp_path / "conf/out").symlink_to("/etc/passwd")
    directory = checkout(tmp_path, {})
    found = explained(directory)
    assert refusals(found) == [released(directory)]
    assert mounts(found)["conf"].what == "ships with the release"


def test_what_services_write_and_git_ignores_is_theirs_alone(tmp_path):
    found = explained(checkout(tmp_path, {**FILES, ".gitignore": "/data\n"}))
    data = mounts(found)["data"]
    assert "the release brings nothing" in data.what
    assert data.notes == ("data: left out, git ignores it, and services write there (to ship it: !PATH in "
                          ".slipwayignore)",)  # fmt: skip


def test_a_volume_on_a_directory_of_the_repository_is_such_a_directory_too(tmp_path):
    files = {
        "compose.yaml": "services: {db: {image: x, volumes: ['rows:/rows']}}\n"
        "volumes: {rows: {driver: local, driver_opts: {type: none, o: bind, device: ./data}}}",
        "data/seed.sql": "x",
    }
    [mount] = explained(checkout(tmp_path, files)).mounts
    assert (mount.source, mount.fate, mount.files) == ("data", "shared", 1)


def test_a_mounted_file_that_looks_like_a_credential_comes_from_the_environment_block(tmp_path):
    files = {"compose.yaml": "services: {web: {image: x, volumes: ['./tls.key:/k:ro']}}", "tls.key": KEY}
    found = explained(checkout(tmp_path, files))
    [mount] = found.mounts
    assert (found.accepted, mount.source, mount.fate) == (True, "tls.key", "given")


def test_a_mount_inside_of_another_has_numbers_of_its_own(tmp_path):
    files = {"compose.yaml": "services: {web: {image: x, volumes: ['./conf:/c:ro', './conf/sub:/s:ro']}}",
             "conf/sub/a": "12345", "conf/b": "1"}  # fmt: skip
    found = mounts(explained(checkout(tmp_path, files)))
    assert {path: (one.files, one.size) for path, one in found.items()} == {"conf": (2, 6), "conf/sub": (1, 5)}
