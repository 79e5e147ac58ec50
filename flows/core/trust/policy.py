"""Whether signatures are verified, and what a failure means: settings, keys, and what a record says."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from flows.core.errors import NotVerified, ReleaseReplayed
from flows.core.records.history import History
from flows.core.records.record import Record, Verified

# What a setting may say.
Policy = Literal["enforce", "warn", "off"]
# `none`: nothing was decided, for no key was ever saved. It is told with every release.
Decided = Literal["enforce", "warn", "off", "none"]
_STRICTNESS: tuple[Decided, ...] = ("enforce", "warn", "off", "none")


def decided_policy(policy: str, exceptions: Mapping[str, Policy], names: Iterable[str], *, keys: bool) -> Decided:
    """The policy for one stack and the droplets it goes to: the strictest of those that are set for one of them.

    Args:
        policy: the setting for all; '': `enforce` once a key is saved.
        exceptions: name of a stack or droplet → its own policy.
        names: of the stack and the droplets.
        keys: whether a key is trusted.
    """
    own = [exceptions[name] for name in names if name in exceptions]
    if own:
        return min(own, key=_STRICTNESS.index)
    if policy in _STRICTNESS:
        return policy
    return "enforce" if keys else "none"


def refuse_unverified_record(record: Record, document: str = "") -> None:
    """Refuse to put a kept release in force again that was not verified when it was put there.

    What was put there before any key was saved says nothing of signatures, and passes: it served then, and refusing it
    would leave nothing to go back to.

    Args:
        document: SHA-256 of the release document as it stands there now; '' where it is not looked at.

    Raises:
        NotVerified
    """
    if record.unverified:
        raise NotVerified(
            f"release {record.tag} was put there although it could not be verified: {record.unverified}. It is not put "
            "in force again. Name another one (slipway history), or decide otherwise: SLIPWAY_VERIFICATION=warn"
        )
    if document and record.verified and record.verified.document not in ("", document):
        raise NotVerified(
            f"the document of release {record.tag} that stands on the droplet is not the one that was verified: "
            f"somebody changed releases/{record.name}/release.json there. Put it there anew: "
            f"slipway deploy --tag {record.tag}"
        )


@dataclass(frozen=True)
class Proof:
    """What a release's signatures proved before it is put on a droplet.

    Args:
        verified: by which key, of what; None where nothing was proved.
        unverified: why not, where that is let pass; '' where no key was ever saved.
        named: the release was asked for by its digest, whatever its tag means.
    """

    verified: Verified | None = None
    unverified: str = ""
    named: bool = False

    def of(self, document: bytes) -> "Proof":
        """The same for a droplet, which is given this document: that of its part of the release."""
        if self.verified is None:
            return self
        hashed = document_hash(document)
        return replace(self, verified=self.verified.model_copy(update={"document": hashed}))

    def refuse_replayed(self, history: History, tag: str) -> None:
        """Refuse a signed release that is older than the one of the same tag that was on the droplet before.

        Raises:
            ReleaseReplayed
        """
        known = [r.verified.published for r in history.records if r.tag == tag and r.verified]
        newest = max(known, default="")
        if self.verified and not self.named and newest > self.verified.published:
            raise ReleaseReplayed(
                f"release {tag} was published at {self.verified.published or 'no time that is known'}, and one of the "
                f"same tag that was published at {newest} was on the droplet before: somebody led the tag back to an "
                "older one. Nothing was changed. If the older one is meant: "
                f"slipway deploy --tag {tag} --digest {self.verified.digest}"
            )


def document_hash(document: bytes) -> str:
    """SHA-256 of a release document; the line break at its end does not count, for it may be lost on the way."""
    return hashlib.sha256(document.strip()).hexdigest()
