"""The errors: where they stand, what they say of themselves, and the story of what was done about one."""

import importlib
import pickle
import pkgutil

import pytest

from flows.core import errors
from flows.core.errors import DeployDeclined, NotApproved, Refused, SlipwayError, ValidationFailed

pytestmark = pytest.mark.unit

MODULES = [
    importlib.import_module(f"{errors.__name__}.{found.name}") for found in pkgutil.iter_modules(errors.__path__)
]
CLASSES = {
    name: value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and value.__module__ == module.__name__
}


def test_every_error_can_be_imported_from_one_place():
    assert len(CLASSES) > 50
    assert {name: getattr(errors, name) for name in errors.__all__} == CLASSES


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_an_error_says_when_it_is_raised_and_what_the_command_ends_with(name):
    error = CLASSES[name]
    first = (error.__doc__ or "").splitlines()[0]
    assert first.endswith(".")
    assert error.exit_code == (3 if error in (NotApproved, DeployDeclined) else 2 if issubclass(error, Refused) else 1)


def test_an_error_tells_below_its_message_what_was_done_about_it_and_is_no_refusal_then():
    error = Refused("the droplet is full")
    assert (str(error), error.exit_code) == ("the droplet is full", 2)
    error.add_story("rolled back")
    error.add_story("pruned")
    assert (str(error), error.exit_code, error.args) == (
        "the droplet is full\nrolled back\npruned", 1, ("the droplet is full",),
    )  # fmt: skip
    assert (Refused("another").exit_code, Refused("another").story) == (2, "")


def test_an_error_is_whole_after_it_travelled_between_processes():
    error = ValidationFailed("1 of 2 probes failed", ("web",))
    error.add_story("rolled back")
    found = pickle.loads(pickle.dumps(error))  # noqa: S301 — our own
    assert (str(found), found.services) == ("1 of 2 probes failed\nrolled back", ("web",))
    assert isinstance(found, SlipwayError)
