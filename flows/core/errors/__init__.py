"""Every refusal and failure of Slipway, one module a subject, each class with its exit code.

A class is raised when the first line of its description holds; its message says what happened, where, and the next
command to run. Everybody imports from here.
"""

from flows.core.errors.base import BadSettings, BlockMissing, ConflictingOptions, Refused, SlipwayError
from flows.core.errors.cloud import CannotDecommission, CannotProvision, HostKeyNotConfirmed, NoEngine, RehearsalFailed
from flows.core.errors.debug import BundleNotWritten
from flows.core.errors.deploy import (
    DeployFailed,
    DigestMismatch,
    FilesInConflict,
    NoStatefulServices,
    NothingDeployed,
    PullFailed,
    ServicesNotReady,
)
from flows.core.errors.droplet import DropletBusy, DropletNotReady, LockLost
from flows.core.errors.gates import ValidationFailed
from flows.core.errors.prune import EngineTooOld, NotConfirmed, VolumeLost
from flows.core.errors.records import (
    AlreadyRunning,
    BadRetention,
    ForeignRecord,
    NewerRecord,
    NoRollbackTarget,
    ReleaseNotOnDroplet,
    RollbackFailed,
)
from flows.core.errors.registry import CollectionFailed, NotDocr, ReleaseUnderWay
from flows.core.errors.release import BadRelease, BadTag, BuildFailed, PushFailed, ReleaseNotFound, UnpinnedImage
from flows.core.errors.stack import (
    BadExtension,
    BrokenStack,
    CredentialFound,
    DevelopmentOnly,
    LinkLeadsOut,
    MissingEnvironmentFile,
    ReadingsDiffer,
    ReleaseTooLarge,
    StackNotFound,
    StateUndeclared,
    UnknownService,
    UnreadableFile,
    UnsetVariables,
)
from flows.core.errors.traffic import (
    BadAnswer,
    BadColours,
    BothColoursUnhealthy,
    NoSwitch,
    NotApproved,
    NothingToApprove,
    NotPromoted,
    PlanChanged,
    SwitchAmbiguous,
    SwitchedBack,
)

__all__ = [
    "AlreadyRunning",
    "BadAnswer",
    "BadColours",
    "BadExtension",
    "BadRelease",
    "BadRetention",
    "BadSettings",
    "BadTag",
    "BlockMissing",
    "BothColoursUnhealthy",
    "BrokenStack",
    "BuildFailed",
    "BundleNotWritten",
    "CannotDecommission",
    "CannotProvision",
    "CollectionFailed",
    "ConflictingOptions",
    "CredentialFound",
    "DeployFailed",
    "DevelopmentOnly",
    "DigestMismatch",
    "DropletBusy",
    "DropletNotReady",
    "EngineTooOld",
    "FilesInConflict",
    "ForeignRecord",
    "HostKeyNotConfirmed",
    "LinkLeadsOut",
    "LockLost",
    "MissingEnvironmentFile",
    "NewerRecord",
    "NoEngine",
    "NoRollbackTarget",
    "NoStatefulServices",
    "NoSwitch",
    "NotApproved",
    "NotConfirmed",
    "NotDocr",
    "NotPromoted",
    "NothingDeployed",
    "NothingToApprove",
    "PlanChanged",
    "PullFailed",
    "PushFailed",
    "ReadingsDiffer",
    "Refused",
    "RehearsalFailed",
    "ReleaseNotFound",
    "ReleaseNotOnDroplet",
    "ReleaseTooLarge",
    "ReleaseUnderWay",
    "RollbackFailed",
    "ServicesNotReady",
    "SlipwayError",
    "StackNotFound",
    "StateUndeclared",
    "SwitchAmbiguous",
    "SwitchedBack",
    "UnknownService",
    "UnpinnedImage",
    "UnreadableFile",
    "UnsetVariables",
    "ValidationFailed",
    "VolumeLost",
]
