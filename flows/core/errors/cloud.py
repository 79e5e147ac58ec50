"""Refusals and failures of droplets at DigitalOcean."""

from flows.core.errors.base import Refused, SlipwayError


class CannotProvision(Refused):
    """Something is in the way of a new droplet; nothing was created."""


class CannotDecommission(Refused):
    """The droplet was not made by Slipway, or is needed."""


class HostKeyNotConfirmed(SlipwayError):
    """A new droplet does not show the host key that was made for it."""


class NoEngine(SlipwayError):
    """A new droplet has no Docker Engine with Compose v2."""


class RehearsalFailed(SlipwayError):
    """A rehearsal failed; its report says where."""
