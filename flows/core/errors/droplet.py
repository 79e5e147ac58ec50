"""Refusals and failures of a droplet as such: its lock, and whether it can be used."""

from flows.core.errors.base import Refused, SlipwayError


class DropletNotReady(Refused):
    """The droplet cannot take this release: engine, Compose, disk, architecture or directory."""


class DropletBusy(Refused):
    """Another run is changing the droplet; the message names it."""


class UnreadableAnswer(SlipwayError):
    """What a droplet, or docker here, printed cannot be read: half of it, or not of the form that is expected."""


class LockLost(SlipwayError):
    """The droplet's lock was lost during a change: the network was gone for longer than the lock's lease."""


class KeyFileOpen(Refused):
    """The file of a private key can be read by others than its owner."""


class DistributionUnknown(Refused):
    """`slipway setup` cannot install Docker on this distribution; it says what to install by hand."""


class SetupRefused(Refused):
    """A machine cannot be set up as it was asked for; nothing on it was changed."""


class SetupFailed(SlipwayError):
    """A step of `slipway setup` failed, or did not do what it is for; the steps before it stay done."""
