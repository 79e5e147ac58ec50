"""What cosign signs: the annotations of an image and of a release, and whether a signature is the one that is wanted.

Source: cosign's "simple signing" payload (https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flows.core.errors import SignedAsAnother, VerificationFailed
from flows.core.quotation import quoted_line, without_controls
from flows.core.registry.references import split_reference
from flows.core.release.release import Release, SignedAs

_PREFIX = "dev.slipway."
STACK, SERVICE, RELEASE, COMMIT, SOURCE, PUBLISHED = (
    f"{_PREFIX}{name}" for name in ("stack", "service", "release", "commit", "source", "published")
)
# A signature says each of these, or nothing of it, exactly as wanted.
_COMPARED = (STACK, SERVICE, RELEASE, COMMIT, SOURCE)


@dataclass(frozen=True)
class Claim:
    """What a signature must say.

    Args:
        reference: `repository@sha256:…`.
        annotations: what it says, without what it leaves out.
        what: in words, for errors.
    """

    reference: str
    annotations: Mapping[str, str]
    what: str

    @property
    def digest(self) -> str:
        return split_reference(self.reference)[1]


def image_annotations(stack: str, signed: SignedAs) -> dict[str, str]:
    """What an image is signed as."""
    said = {
        STACK: stack, SERVICE: signed.service, RELEASE: signed.release, COMMIT: signed.commit, SOURCE: signed.source,
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


def release_annotations(release: Release, published: str) -> dict[str, str]:
    """What a release document is signed as, and when it was published (ISO 8601, UTC)."""
    said = {STACK: release.stack, RELEASE: release.tag, COMMIT: release.commit or "", PUBLISHED: published}
    return {name: value for name, value in said.items() if value}


def claims_of_images(release: Release) -> list[Claim]:
    """What the signatures of a release's images must say.

    An image from elsewhere that was not copied is no image of ours: the signed document pins it.

    Raises:
        SignedAsAnother: the release was published without signing an image that it built.
    """
    claims = []
    for reference, image in sorted(release.images.items()):
        if image.signed:
            what = f"the image of service {image.signed.service}" if image.signed.service else "the copied image"
            claims.append(Claim(reference, image_annotations(release.stack, image.signed), f"{what} ({reference})"))
        elif image.built:
            raise SignedAsAnother(
                f"release {release.tag} of {release.stack} does not say what {reference} is signed as: it was "
                "published without a signing key, or by another version. Nothing was changed. Publish it again: "
                f"slipway build-push --tag {release.tag}"
            )
    return claims


def read_payloads(printed: str) -> dict[str, list[dict[str, Any]]]:
    """What `cosign verify` printed: digest → the payloads that a key has signed.

    Raises:
        VerificationFailed: it is not what cosign prints.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    try:
        for line in filter(None, map(str.strip, printed.splitlines())):
            for payload in json.loads(line):
                digest = payload["critical"]["image"]["docker-manifest-digest"]
                if not isinstance(digest, str) or not isinstance(payload.get("optional") or {}, dict):
                    raise TypeError
                found.setdefault(digest, []).append(payload.get("optional") or {})
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise VerificationFailed("cosign printed what is no signature. Does `cosign version` work?") from None
    return found


def matching(claim: Claim, payloads: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The payload that says what is claimed, or None; the newest, where several do."""
    fits = [p for p in payloads if all(p.get(name) == claim.annotations.get(name) for name in _COMPARED)]
    return max(fits, key=lambda payload: str(payload.get(PUBLISHED, "")), default=None)


def signed_as_another(claim: Claim, payloads: Sequence[Mapping[str, Any]]) -> SignedAsAnother:
    """The error for signatures that are good, and say something else."""
    differ = []
    for name in _COMPARED:
        wanted = claim.annotations.get(name)
        said = sorted({str(payload.get(name)) for payload in payloads})
        if all(payload.get(name) != wanted for payload in payloads):
            shown = without_controls(quoted_line(" or ".join(said), 100))
            differ.append(f"{name.removeprefix(_PREFIX)} {shown}, not {wanted or 'none'}")
    told = "; ".join(differ) or "no signature has all of what was asked for together"
    return SignedAsAnother(
        f"{claim.what} is signed as something else: {told}. Nothing was changed. Somebody put another image there, or "
        "its release was signed by another version: publish it again"
    )


def signed_before(payloads: Iterable[Mapping[str, Any]], stack: str, service: str, source: str = "") -> SignedAs | None:
    """What an image that has not changed was signed as by an earlier release, or None: then it is signed now."""
    for payload in payloads:
        said = {name: str(payload.get(name) or "") for name in _COMPARED}
        if (said[STACK], said[SERVICE], said[SOURCE]) == (stack, service, source) and said[RELEASE]:
            fields = {"service": service, "release": said[RELEASE], "commit": said[COMMIT], "source": source}
            with suppress(ValueError):  # a release of no tag, or half a character, which no document can hold
                return SignedAs.model_validate_json(json.dumps(fields))
    return None
