"""What runs on a droplet: its script, word for word, and its output as values."""

import pytest

from flows.core.deploy.facts import facts_script
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.running import (
    Running,
    containers_script,
    kept_release_script,
    read_running,
    running_release_script,
    running_script,
)
from flows.core.droplet.sections import section_script
from flows.core.records.storage import history_sections

pytestmark = pytest.mark.unit

PS = "docker ps --all --quiet --no-trunc --filter label=com.docker.compose.project=shop"


SCRIPTS = {
    "facts": facts_script(StackDirectory("/opt/slip way", "shop"), ["host/web@sha256:1"]),
    "containers": containers_script("shop"),
    "running": running_script("shop"),
    "release": running_release_script(StackDirectory("/opt/it's", "shop")),
    "kept release": kept_release_script(StackDirectory("/opt/it's", "shop"), "v1.f00"),
    "history": section_script(history_sections(StackDirectory("/opt/it's", "shop"))),
}


def test_containers_are_asked_for_by_the_projects_label():
    assert SCRIPTS["containers"] == f'ids=$({PS}) || exit; [ -z "$ids" ] || docker inspect $ids || true'


def test_what_runs_is_read_with_its_digests():
    output = '@@slipway:containers\n@@slipway:images\n{"id":"sha256:1","digests":["a@b"]}\n{"id":"2","digests":null}\n'
    assert read_running(output) == Running([], {"sha256:1": ("a@b",), "2": ()})
    assert read_running("") == Running([], {})
