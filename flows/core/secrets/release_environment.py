"""The variables Slipway itself gives to a stack, and the values of a release that are secret."""

from flows.core.droplet.directories import ENVIRONMENT
from flows.core.release.bundle import FILES
from flows.core.release.release import Release
from flows.core.stack.env_files import parse

# Variables that Slipway itself puts beside the user's.
OWN = ("REGISTRY", "IMAGE_TAG", "SLIPWAY_COLOUR")


def environment_paths(at: str, release: Release | None) -> list[str]:
    """Files of the release directory `at` that hold what its environment gave it; the variables first."""
    wanted = release.environment_files if release else ()
    return [f"{at}/{ENVIRONMENT}", *(f"{at}/{FILES}/{entry.path}" for entry in wanted)]


def own_values(variables: str) -> set[str]:
    """Values in a release's file of variables that are Slipway's, and everybody's to see."""
    return {value for name, value in parse(variables).items() if name in OWN}
