"""Refusals and failures of the registry and its cleaning up."""

from flows.core.errors.base import Refused, SlipwayError


class NotDocr(Refused):
    """The registry is not one of DigitalOcean's."""


class ReleaseUnderWay(Refused):
    """Another run needs the registry, or what the registry holds changed while it was read."""


class CollectionFailed(SlipwayError):
    """The registry's garbage collection did not succeed."""
