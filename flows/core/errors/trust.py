"""Refusals and failures of signing and of verifying signatures."""

from flows.core.errors.base import Refused, SlipwayError


class NotVerified(Refused):
    """Base of what is refused because it is not proved to be what we signed."""


class Unsigned(NotVerified):
    """Nothing has signed it."""


class SignedByAnother(NotVerified):
    """It is signed, with a key that is not trusted."""


class SignatureMoved(NotVerified):
    """A signature that belongs to something else was put beside it."""


class SignedAsAnother(NotVerified):
    """It is signed by a trusted key, as something else."""


class ReleaseReplayed(NotVerified):
    """An older release was put where a newer one was."""


class NothingKnown(Refused):
    """Nothing is known of what was asked for."""


class NoSigningKey(Refused):
    """What must be signed to be deployed would be built where no key is."""


class NothingTrusted(Refused):
    """Signatures are to be verified, and no key is trusted."""


class KeyUnusable(Refused):
    """A key cannot be read, or is not one that cosign signs with."""


class CosignMissing(Refused):
    """The program that signs and verifies cannot be run."""


class SigningFailed(SlipwayError):
    """What was built could not be signed."""


class VerificationFailed(SlipwayError):
    """Whether something is signed could not be found out."""
