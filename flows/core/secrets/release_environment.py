"""The environment of a deployed release: files that hold its secrets, and variables of Slipway that are public."""

from flows.core.droplet.directories import ENVIRONMENT
from flows.core.release.bundle import FILES
from flows.core.release.release import Release
from flows.core.stack.env_files import parse

# Variables that Slipway adds to the user's.
OWN = ("REGISTRY", "IMAGE_TAG", "SLIPWAY_COLOUR")


def environment_paths(at: str, release: Release | None) -> list[str]:
    """The files with secrets in the release directory `at`: its variables first, then env and secret files."""
    wanted = release.environment_files if release else ()
    return [f"{at}/{ENVIRONMENT}", *(f"{at}/{FILES}/{entry.path}" for entry in wanted)]


def own_values(variables: str) -> set[str]:
    """The public values in a release's file of variables: those that Slipway added."""
    return {value for name, value in parse(variables).items() if name in OWN}
