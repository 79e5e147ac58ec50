"""Refusals and failures of removing what is not needed."""

from flows.core.errors.base import Refused, SlipwayError


class EngineTooOld(Refused):
    """The engine's `docker system prune` would remove named volumes too."""


class NotConfirmed(Refused):
    """A command that needs a confirmation was not given it."""


class VolumeLost(SlipwayError):
    """A named volume is gone after a prune that had to spare it."""
