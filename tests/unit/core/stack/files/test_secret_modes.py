"""Every mount of a secret file has the mode that it asks for, whatever others ask for."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.core.deploy.files.staging import local_override, secret_contents, staged_release
from flows.core.droplet.directories import StackDirectory
from flows.core.release.bundle import File, ReleaseFiles
from flows.core.stack.compose_yaml import load_config
from flows.core.stack.files.shipped_files import StackFiles, find_stack_files
from flows.settings import Settings
from flows.tasks.build_host import run_alone
from tests.support.builders import release, stack
from tests.support.stack.compose_client import needs_compose

pytestmark = pytest.mark.unit

KEY = {"key": {"file": "/p/s/keys/$a"}}
WEB = ["key", {"source": "key", "target": "own", "mode": "0400"}]
JOB = [{"source": "key", "mode": "0440"}]
COMPOSE = """
services:
  web:
    image: web:1
    secrets: [key, {source: key, target: own, mode: 0400}]
  job:
    image: job:1
    secrets: [{source: key, mode: 0440}]
secrets: {key: {file: ./keys/$$a}}
"""


def files_of(services: dict, mounted: str = "./keys/$$a") -> StackFiles:
    return find_stack_files(
        stack(services, secrets=KEY), "/p/s", ("/p/s/compose.yml",), (), [f"a: {mounted}", "b: ../x:/y"]
    )


def modes(sources: StackFiles) -> dict:
    """Service and target → the mode of the file that stands there."""
    (file,) = sources.environment_files
    own = {(mount.service, mount.target): file.mode for mount in sources.secret_mounts}
    return own | {(mount.service, mount.target): mount.mode for mount in sources.secret_copies}


def test_two_services_and_two_targets_of_one_secret_have_each_its_mode():
    found = files_of({"web": {"secrets": WEB}, "job": {"secrets": JOB}})
    assert modes(found) == {
        ("web", "/run/secrets/key"): 0o444,
        ("web", "own"): 0o400,
        ("job", "/run/secrets/key"): 0o440,
    }
    assert {(copy.path, copy.place) for copy in found.secret_copies} == {
        ("keys/$a", "0400/keys/$a"), ("keys/$a", "0440/keys/$a"),
    }  # fmt: skip


def test_in_a_mounted_directory_it_keeps_its_own_mode_and_the_secret_has_what_it_asks_for():
    found = files_of({"web": {"secrets": JOB}}).given({"/p/s/keys/$a": 0o600})
    assert found.environment_files[0].mode == 0o600
    assert modes(found) == {("web", "/run/secrets/key"): 0o440}


@needs_compose
def test_on_a_droplet_each_mode_is_a_file_of_its_own_that_compose_mounts_there(tmp_path):
    sources = files_of({"web": {"secrets": WEB}, "job": {"secrets": JOB}})
    what = release(
        compose_files=("s/compose.yml",),
        services={n: f"registry.example.com/{n}@sha256:{'a' * 64}" for n in ("web", "job")},
        environment_files=[e.model_copy(update={"path": "s/keys/$a"}) for e in sources.environment_files],
        secret_copies=[c.model_copy(update={"path": "s/keys/$a"}) for c in sources.secret_copies],
    )
    own = {"files/s/compose.yml": File(COMPOSE.encode()), "override.yml": File(what.override({}))}
    secrets = secret_contents(what, {"keys/$a": b"k"})
    staged = staged_release(what, ReleaseFiles(own), {}, secrets, StackDirectory(str(tmp_path), "shop"))
    at = tmp_path / "shop" / "current"
    for name, file in staged.content.items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_bytes(file.content)
        (at / name).chmod(file.mode)
    client = replace(
        StackDirectory(str(tmp_path), "shop").compose(what, str(at)), docker=Settings().docker, clean=False
    )
    config = load_config(run_alone(client.config()).stdout)
    assert {
        (service, entry["target"], Path(file).read_bytes(), Path(file).stat().st_mode & 0o777)
        for service, spec in config["services"].items()
        for entry in spec["secrets"]
        for file in [config["secrets"][entry["source"]]["file"].replace("$$", "$")]
    } == {
        ("web", "/run/secrets/key", b"k", 0o444),
        ("web", "own", b"k", 0o400),
        ("job", "/run/secrets/key", b"k", 0o440),
    }


def test_without_a_second_mode_nothing_is_said():
    assert b"slipway." not in local_override(release(), {}, {})
