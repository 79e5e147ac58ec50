"""Every way in which Slipway itself says no. A message says what happened, where, and what to do next.

The exit code of the `slipway` command comes from the class: 2 for input that was refused before anything
changed, 1 for work that was begun and did not succeed.
"""


class SlipwayError(Exception):
    """Base of all errors raised by `flows`. `exit_code` is what the command line ends with."""

    exit_code = 1
    story = ""

    def __str__(self) -> str:
        return "\n".join(part for part in (super().__str__(), self.story) if part)

    def add_story(self, story: str) -> None:
        """Tell below the message what was done about it. Something was changed by then: it is no refusal any more."""
        self.story = "\n".join(part for part in (self.story, story) if part)
        self.exit_code = 1


class Refused(SlipwayError):
    """The input cannot be worked with; nothing was built, pushed or changed on a droplet."""

    exit_code = 2


class StackNotFound(Refused):
    """No compose file at the given path."""


class BrokenStack(Refused):
    """Compose cannot read the stack; the message carries Compose's own words."""


class BadExtension(Refused):
    """An `x-slipway` field does not fit its model; the message names service and field."""


class UnknownService(Refused):
    """A service was asked for that the stack does not have."""


class UnsetVariables(Refused):
    """The compose files use variables that nobody gave a value."""


class MissingEnvironmentFile(Refused):
    """An env file or a secret file that the stack needs is in neither the environment block nor the source."""


class DevelopmentOnly(Refused):
    """The stack resolves to a source mount or a reload flag; the message names the line."""


class BadTag(Refused):
    """The tag is missing, or is no valid image tag."""


class ReleaseNotFound(Refused):
    """No release of that tag stands in the registry."""


class BadRelease(Refused):
    """The published release document cannot be used (other format, or damaged)."""


class BadSettings(Refused):
    """A setting, or the file it stands in, cannot be read."""


class UnpinnedImage(Refused):
    """The digest of an image from elsewhere could not be found out."""


class DropletNotReady(Refused):
    """The droplet cannot take this release: engine, Compose, disk, architecture or directory."""


class BlockMissing(Refused):
    """A Prefect block that holds needed credentials was never saved."""


class NothingDeployed(Refused):
    """The droplet carries no release of this stack."""


class CannotProvision(Refused):
    """Something is in the way of a new droplet; nothing was created."""


class CannotDecommission(Refused):
    """A droplet is not ours to remove, or is needed."""


class RehearsalFailed(SlipwayError):
    """A rehearsal did not hold; its report says where."""


class HostKeyNotConfirmed(SlipwayError):
    """A new droplet does not show the host key that it was given."""


class NoEngine(SlipwayError):
    """A new droplet has no Docker Engine with Compose v2."""


class NotDocr(Refused):
    """The registry is not one of DigitalOcean's."""


class ReleaseUnderWay(Refused):
    """A run that needs the registry is under way."""


class DropletBusy(Refused):
    """Another run is changing the droplet; the message names its holder."""


class ForeignRecord(Refused):
    """The droplet's directory holds records of another stack."""


class NewerRecord(Refused):
    """The droplet holds records of a format this version does not know."""


class ReleaseNotOnDroplet(Refused):
    """A release was asked for that was never put on the droplet."""


class NoRollbackTarget(Refused):
    """No release on the droplet ever passed its validation, so there is none to go back to."""


class AlreadyRunning(Refused):
    """The release asked for is the one that runs."""


class BadRetention(Refused):
    """Fewer than one good release was to be kept."""


class EngineTooOld(Refused):
    """The engine would remove named volumes too."""


class NotConfirmed(Refused):
    """A command that needs a confirmation did not get it."""


class NoStatefulServices(Refused):
    """The stack has no service that is at home, or no data home was set."""


class StateUndeclared(Refused):
    """A service keeps state, and the stack does not say where it lives."""


class BadColours(Refused):
    """The two colours are not two: the same droplet twice, or a colour without one."""


class NoSwitch(Refused):
    """No traffic switch was set, so there is no colour that traffic reaches."""


class SwitchAmbiguous(Refused):
    """The traffic switch points nowhere, or at both colours."""


class PlanChanged(Refused):
    """What was to be promoted is not what stands there any more."""


class NotPromoted(SlipwayError):
    """A gate failed, or nobody may say what an inconclusive one means; traffic stays where it was."""


class NotApproved(SlipwayError):
    """A person said no, or nobody answered in time; traffic stays where it was."""

    exit_code = 3


class NothingToApprove(Refused):
    """No run of that name waits for an answer."""


class BadAnswer(Refused):
    """The answer lacks a name, or is none of approve, reject and hold."""


class SwitchedBack(SlipwayError):
    """The new release did not hold after the switch; traffic is on the old one again."""


class CollectionFailed(SlipwayError):
    """The registry's garbage collection did not succeed."""


class BothColoursUnhealthy(SlipwayError):
    """The active colour is not well, and the other one is not either; traffic stays where it is."""


class VolumeLost(SlipwayError):
    """A named volume is gone that had to be spared."""


class ConflictingOptions(Refused):
    """Two things were asked for that exclude each other."""


class LockLost(SlipwayError):
    """The droplet's lock was lost while we changed it: the network was gone for longer than its lease."""


class RollbackFailed(SlipwayError):
    """The release that was gone back to is not well either."""


class BundleNotWritten(SlipwayError):
    """A debug bundle was made, and could not be written to the reports."""


class BuildFailed(SlipwayError):
    """`docker compose build` failed, or took longer than its timeout."""


class PushFailed(SlipwayError):
    """An image could not be pushed, or the registry shows another digest than the engine."""


class DeployFailed(SlipwayError):
    """A command that changes the droplet failed after the pull."""


class PullFailed(SlipwayError):
    """An image could not be pulled; nothing was stopped or started."""


class ServicesNotReady(SlipwayError):
    """A service failed, or did not become ready before its deadline."""


class DigestMismatch(SlipwayError):
    """Containers run other digests than the release holds."""


class ValidationFailed(SlipwayError):
    """A probe of the validation failed; `services` are those whose probes did."""

    def __init__(self, message: str = "", services: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.services = services
