"""Errors of what is around runs: the queue, automations, alerts, and finding out what went wrong."""

from flows.core.errors.base import Refused, SlipwayError


class GaveWay(Refused):
    """A newer run of the same deployment for the same place was asked for; this one ended before it began.

    Such a run is no failure: it ends as Cancelled, by the name Superseded.
    """


class DeploymentMissing(Refused):
    """A deployment of prefect.yaml that is needed is not at the Prefect server."""


class BadAlert(Refused):
    """What was posted to the alert receiver is not what Alertmanager sends."""


class BadToken(Refused):
    """The token of the alert receiver cannot be read, or is too short to be one."""


class BundleNotWritten(SlipwayError):
    """A debug bundle was made, and could not be written to the reports directory."""


class NotDeployed(SlipwayError):
    """The deployments could not be registered with the Prefect server."""


class ServerPortTaken(Refused):
    """The port of the Prefect server is taken by something that is not this control plane."""


class ServerNotReady(SlipwayError):
    """The Prefect server of `slipway server up` did not become healthy in time, or is not closed."""


class BadServerDirectory(Refused):
    """The directory of the control plane cannot be used: not ours, or its file cannot be read."""


class BadExport(Refused):
    """An export of a control plane cannot be written, read or taken: its file, its passphrase, or what it holds."""


class BadParameter(Refused):
    """A parameter of a run that is to be triggered is unknown, given twice, or has no value that can be read."""


class TriggerRefused(Refused):
    """Prefect starts no run with such parameters."""


class LocalPath(Refused):
    """A worker on another machine was to do the work, and a file of this one was named."""


class ServerNeeded(Refused):
    """No Prefect server answers, and without one nothing can be saved."""
