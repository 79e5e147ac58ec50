"""A droplet's facts: one script each, word for word, and what its output is read into."""

import json
import re

import pytest

from flows.core.deploy.facts import Facts, facts_script, read_facts
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.running import (
    containers_script,
    kept_release_script,
    running_release_script,
    running_script,
)
from flows.core.droplet.sections import section_script
from flows.core.records.history import History
from flows.core.records.storage import history_sections
from tests.support import assert_good_shell

pytestmark = pytest.mark.unit

SCRIPTS = {
    "facts": facts_script(StackDirectory("/opt/slip way", "shop"), ["host/web@sha256:1"]),
    "containers": containers_script("shop"),
    "running": running_script("shop"),
    "release": running_release_script(StackDirectory("/opt/it's", "shop")),
    "kept release": kept_release_script(StackDirectory("/opt/it's", "shop"), "v1.f00"),
    "history": section_script(history_sections(StackDirectory("/opt/it's", "shop"))),
}


def test_facts_come_in_sections_of_their_own():
    marks = re.findall(r"^printf '\\n%s\\n' @@slipway:(\w+)$", SCRIPTS["facts"], re.MULTILINE)
    assert marks == [
        "info",
        "disk",
        "containers",
        "images",
        "networks",
        "volumes",
        "current",
        "asleep",
        "history",
        "kept",
        "name",
    ]
    known_as = '{"digests":{{json .RepoDigests}},"tags":{{json .RepoTags}}}'
    assert f"docker image inspect --format '{known_as}' host/web@sha256:1 2>/dev/null" in SCRIPTS["facts"]
    assert "readlink '/opt/slip way/shop/current'" in SCRIPTS["facts"]


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_every_script_is_good_shell(script):
    # SC2086, SC2046: the ids are meant to be words of their own.
    assert_good_shell(script, "SC2086", "SC2046")


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("word", ["rm ", "mkdir", ">>", "docker rm", "docker stop", "docker pull", "prune"])
def test_looking_changes_nothing(script, word):
    assert word not in script


INFO = {
    "ServerVersion": "26.1.5",
    "OSType": "linux",
    "Architecture": "aarch64",
    "ClientInfo": {"Plugins": [{"Name": "buildx", "Version": "0.13.1"}, {"Name": "compose", "Version": "2.26.1-4"}]},
}


OUTPUT = f"""\
@@slipway:info
{json.dumps(INFO)}
@@slipway:disk
/dev/sda1  102400 2048 100000 3% /
@@slipway:containers
@@slipway:images
{{"digests":["host/web@sha256:1","mirror/web@sha256:1"],"tags":["host/web:1"]}}
{{"digests":["host/cut@sha256:2"],"tags":[]}}
{{"digests":null,"tags":["built:here"]}}
@@slipway:networks
bridge 0a
edge 1b
:said:
@@slipway:volumes
:said:
@@slipway:name
releases/v1.f00
@@slipway:current
{{"tag": "v1"}}
"""


def test_facts_are_read():
    assert read_facts(OUTPUT, "shop") == Facts(
        engine="26.1.5",
        compose="2.26.1-4",
        platform="linux/arm64",
        free=100000 * 1024,
        containers=(),
        present=frozenset(["host/web@sha256:1", "mirror/web@sha256:1"]),
        networks=frozenset(["bridge", "0a", "edge", "1b"]),
        volumes=frozenset(),
        current='{"tag": "v1"}',
        history=History(current="v1.f00"),
    )


@pytest.mark.parametrize("output", ["", "@@slipway:info\n\n@@slipway:disk\ndf: no such file\n", "noise before it\n"])
def test_a_droplet_without_an_engine_has_no_facts(output):
    assert read_facts(output, "shop") == Facts()


@pytest.mark.parametrize("listed", ["", "edge 1b\n", "Cannot connect to the Docker daemon"])
def test_a_list_that_was_not_printed_to_its_end_says_nothing(listed):
    assert read_facts(f"@@slipway:networks\n{listed}\n@@slipway:name\n", "shop").networks is None


def test_an_engine_that_answers_with_null_has_no_plugins():
    facts = read_facts('@@slipway:info\n{"ServerVersion": "26.0", "ClientInfo": null}\n', "shop")
    assert (facts.engine, facts.compose, facts.platform) == ("26.0", "", "")
