"""Refusals and failures of making and reading a release."""

from flows.core.errors.base import Refused, SlipwayError


class BadTag(Refused):
    """The tag is missing, or is not a valid image tag."""


class ReleaseNotFound(Refused):
    """The registry has no release of that tag."""


class BadRelease(Refused):
    """The release document cannot be used: another format, or damaged."""


class UnpinnedImage(Refused):
    """The digest of an image from another registry could not be found out."""


class MissingBuildInput(Refused):
    """A build asks for an SSH agent or a key that the build host does not have."""


class BuildFailed(SlipwayError):
    """`docker compose build` failed, or took longer than its timeout."""


class PushFailed(SlipwayError):
    """An image could not be pushed, or the registry shows another digest than the engine."""
