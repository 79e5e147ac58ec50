"""Refusals and failures of putting a release on a droplet."""

from flows.core.errors.base import Refused, SlipwayError


class NothingDeployed(Refused):
    """The droplet carries no release of this stack."""


class NoStatefulServices(Refused):
    """No data home was set, or the stack has no service that runs there."""


class PullFailed(SlipwayError):
    """An image could not be pulled; nothing was stopped or started."""


class DeployFailed(SlipwayError):
    """A command that changes the droplet failed after the pull."""


class ServicesNotReady(SlipwayError):
    """A service failed, or was not ready before its deadline."""


class DigestMismatch(SlipwayError):
    """Containers run other digests than the release holds."""


class FilesInConflict(Refused):
    """A service has changed files that the release brings, and `x-slipway.mounts` says to refuse that."""


class ValidationFailed(SlipwayError):
    """A probe failed; `services` are those whose probes did."""

    def __init__(self, message: str = "", services: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.services = services


class DeployDeclined(SlipwayError):
    """A person saw the plan of a deploy and did not say yes; nothing was changed on the droplet."""

    exit_code = 3


class PlanOutdated(Refused):
    """Something else was put on the droplet while a person was asked; nothing was changed."""
