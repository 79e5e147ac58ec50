"""A droplet's reading of a stack is held against this host's own."""

import json

import pytest

from flows.core.errors import ReadingsDiffer
from flows.core.release.bundle import File
from flows.settings import Settings
from flows.tasks.deploy.reading import Reading, compare_readings, read_here
from tests.support.builders import release
from tests.support.stack.compose_client import needs_compose

pytestmark = pytest.mark.unit

THERE = ("green", "2.26.1")


def printed(**environment: str) -> str:
    return json.dumps({"services": {"web": {"image": "x", "environment": environment or None}}})


@needs_compose
def test_the_env_file_that_is_the_droplets_own_is_left_out_of_the_reading():
    text = "services: {web: {image: x, env_file: [own.env, /etc/the-droplets.env]}, job: {image: y}}"
    content = {"files/compose.yml": File(text.encode()), "files/own.env": File(b"A=1\n")}
    needed = ({"path": "own.env"},)
    found = read_here(release(environment_files=needed), content, {}, Settings())
    assert found.config["services"]["web"]["environment"] == {"A": "1"}
    assert found.unknown == {"web"}


def test_what_the_droplets_own_env_file_says_is_no_difference():
    here = Reading(json.loads(printed(A="1")), THERE[1], frozenset({"web"}))
    compare_readings(release(), here, printed(A="2", OF_THE_DROPLET="yes"), "", there=THERE)


@pytest.mark.parametrize("unknown", [frozenset(), frozenset({"we"})])
def test_a_variable_that_the_droplet_has_besides_is_refused(unknown):
    here = Reading(json.loads(printed(A="1")), THERE[1], unknown)
    with pytest.raises(ReadingsDiffer, match=r"services\.web\.environment\.B: 'nothing' here, '2' there"):
        compare_readings(release(), here, printed(A="1", B="2"), "", there=THERE)
