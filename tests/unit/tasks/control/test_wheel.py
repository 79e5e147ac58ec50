"""The wheel: what `make wheel` builds has all that an installed `slipway` needs, without a checkout."""

import json
import os
import subprocess

import pytest
import yaml

from flows.core.control.deployments import packaged_deployments
from tests import CHECKOUT
from tests.support.machine.wheel import installed_wheel

pytestmark = pytest.mark.unit

ASK = "import json; from flows.tasks.control.deployments import packaged_document as p; print(json.dumps(p()))"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A new environment with the wheel; what the wheel needs is that of this environment."""
    place = tmp_path_factory.mktemp("wheel")
    return installed_wheel(place)[1]


def run(*argv, cwd):
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "DO_NOT_TRACK": "1"}
    return subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, check=True, timeout=120
    ).stdout


def test_the_installed_command_says_its_version_and_its_commands(installed, tmp_path):
    assert run(installed / "slipway", "--version", cwd=tmp_path).startswith("slipway ")
    assert "server" in run(installed / "slipway", "--help", cwd=tmp_path)


def test_the_packaged_deployments_are_those_of_prefect_yaml(installed, tmp_path):
    packaged = json.loads(run(installed / "python", "-c", ASK, cwd=tmp_path))
    assert packaged == yaml.safe_load((CHECKOUT / "prefect.yaml").read_text())
    assert len(packaged_deployments(packaged, "/srv", "1")) == len(packaged["deployments"])


@pytest.mark.parametrize("name", ["work-pool.json", "work-pool-docker.json"])
def test_the_packaged_pool_is_as_closed_as_the_checkouts(installed, tmp_path, name):
    ask = f"from importlib import resources; print(resources.files('flows').joinpath({name!r}).read_text())"
    assert json.loads(run(installed / "python", "-c", ask, cwd=tmp_path)) == json.loads((CHECKOUT / name).read_text())


def test_the_installed_command_writes_the_rules_and_nothing_over_others(installed, tmp_path):
    run(installed / "slipway", "metrics", "--rules", "rules", cwd=tmp_path)
    source = CHECKOUT / "compose/observability"
    assert {file.name: file.read_text() for file in (tmp_path / "rules").iterdir()} == {
        file.name: file.read_text() for file in source.iterdir()
    }
    (tmp_path / "rules/alerts.yml").write_text("mine")
    with pytest.raises(subprocess.CalledProcessError):
        run(installed / "slipway", "metrics", "--rules", "rules", cwd=tmp_path)
    assert (tmp_path / "rules/alerts.yml").read_text() == "mine"


def test_the_packaged_control_plane_is_that_of_the_checkout(installed, tmp_path):
    run(installed / "slipway", "server", "compose", "plane", "--host", "plane.example.com", cwd=tmp_path)
    assert (tmp_path / "plane/compose.yaml").read_text() == (CHECKOUT / "compose/control-plane.yml").read_text()
