"""What a worker is handed of a command's parameters, and which error a run ended in."""

import pytest

from flows.core.control.handover import deployment_of, named_failure, parameters_elsewhere
from flows.core.errors import LocalPath

pytestmark = pytest.mark.unit
THERE = {"compose": "/home/me/shop/compose", "/srv/x.env": "/srv/x.env", "../shop": "/home/me/shop"}


def test_a_deployment_has_the_name_of_its_flow():
    assert deployment_of("flows.registry_gc:registry_gc") == "registry-gc"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"stack": "compose", "env_file": None}, {"stack": "/home/me/shop/compose", "env_file": None}),
        ({"stack": "shop", "env_file": "/srv/x.env"}, {"stack": "shop", "env_file": "/srv/x.env"}),
        ({"services": ("a", "b"), "tag": "compose"}, {"services": ["a", "b"], "tag": "compose"}),
    ],
)
def test_a_worker_on_this_machine_sees_its_files(given, taken):
    assert parameters_elsewhere(given, here=True, absolute=THERE.get) == taken


def test_a_worker_elsewhere_takes_what_it_has_itself():
    given = {"stack": "compose", "env_file": None, "tag": "v1"}
    assert parameters_elsewhere(given, here=False, absolute=THERE.get) == given


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stack": "../shop"}, "--stack ../shop: a file of this machine"),
        ({"env_file": "/srv/x.env"}, "environment set"),
        ({"env_file": "compose"}, "--env-file compose"),
    ],
)
def test_a_file_that_a_worker_elsewhere_cannot_see_is_refused(given, words):
    with pytest.raises(LocalPath, match=words):
        parameters_elsewhere(given, here=False, absolute=THERE.get)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("Flow run encountered an exception: BuildFailed: no\nline: two", ("BuildFailed", "no\nline: two")),
        ("Flow run infrastructure exited with 1", ("", "Flow run infrastructure exited with 1")),
        ("", ("", "")),
    ],
)
def test_a_run_that_failed_names_its_error(message, found):
    assert named_failure(message) == found
