"""Refusals and failures of the release records of a droplet, and going back to one."""

from flows.core.errors.base import Refused, SlipwayError


class ForeignRecord(Refused):
    """The stack's directory on the droplet holds records of another stack."""


class NewerRecord(Refused):
    """The droplet holds records of a format that this version does not know."""


class ReleaseNotOnDroplet(Refused):
    """A release was named that was never deployed to the droplet."""


class NoRollbackTarget(Refused):
    """The droplet has no release that passed its validation and could be gone back to."""


class AlreadyRunning(Refused):
    """The release named for a rollback is the one that runs."""


class BadRetention(Refused):
    """Fewer than one good release was to be kept."""


class RollbackFailed(SlipwayError):
    """The release of a rollback could not be put in force, or did not pass its validation either."""
