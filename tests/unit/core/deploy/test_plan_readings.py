"""What a plan asks of a droplet: one script that only looks, and a stack that is hashed as it will stand there."""

import json

import pytest

from flows.core.deploy.plan.readings import hashed_config, standing_sections
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.sections import section_script
from tests.support import assert_good_shell
from tests.support.builders import pinned, release

pytestmark = pytest.mark.unit

HOME = StackDirectory("/opt/slipway", "shop")


def test_the_script_is_good_shell_asks_with_the_stack_on_standard_input_and_changes_nothing():
    whole = release(environment_files=({"path": "a b"}, {"path": "c'd"}), profiles=("p",))
    parts = standing_sections(StackDirectory("/opt/it's", "shop"), whole, hashed=True)
    assert_good_shell(section_script(parts))
    assert parts["hashes"].endswith(
        " compose --project-name shop --file - --profile p --env-file /dev/null config --hash '*' 2>/dev/null"
    )
    assert "hashes" not in standing_sections(HOME, whole, hashed=False)


def test_paths_of_the_release_are_hashed_as_they_will_be_there():
    mounts = [{"type": "bind", "source": source, "target": "/t"} for source in ("/files/a", "/filesystem", "/files")]
    mounts.append({"type": "volume", "source": "/files/a", "target": "/v"})
    text = hashed_config(
        release(), {"name": "x", "services": {"web": {"image": pinned("web")}}}, {"web": {"volumes": mounts}}, HOME
    )
    sources = [mount["source"] for mount in json.loads(text)["services"]["web"]["volumes"]]
    assert sources == [f"{HOME.current}/files/a", "/filesystem", f"{HOME.current}/files", "/files/a"]
