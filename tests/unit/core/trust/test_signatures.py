"""What a signature must say, and what it says."""

import json

import pytest

from flows.core.errors import SignedAsAnother, VerificationFailed
from flows.core.release.release import Image, SignedAs
from flows.core.trust import signatures
from flows.core.trust.signatures import (
    Claim,
    claims_of_images,
    image_annotations,
    matching,
    read_payloads,
    release_annotations,
    signed_as_another,
    signed_before,
)
from tests.support.builders import digest, pinned, release

pytestmark = pytest.mark.unit

WEB = SignedAs(service="web", release="v1", commit="c0ffee")
SAID = {
    "dev.slipway.stack": "shop", "dev.slipway.service": "web", "dev.slipway.release": "v1",
    "dev.slipway.commit": "c0ffee",
}  # fmt: skip


def payload(of: str, **said: str) -> dict:
    return {
        "critical": {"image": {"docker-manifest-digest": of}, "type": "cosign container image signature"},
        "optional": said or None,
    }


def test_an_image_is_signed_with_stack_service_release_and_commit():
    assert image_annotations("shop", WEB) == SAID


def test_a_copy_is_signed_as_what_it_is_the_copy_of():
    said = image_annotations("shop", SignedAs(release="v1", source="postgres:16"))
    assert said == {
        "dev.slipway.stack": "shop", "dev.slipway.release": "v1", "dev.slipway.source": "postgres:16",
    }  # fmt: skip


def test_a_release_is_signed_with_when_it_was_published():
    said = release_annotations(release(commit="c0ffee"), "2026-05-04T12:00:00.000+00:00")
    assert said == {
        "dev.slipway.stack": "shop", "dev.slipway.release": "v1", "dev.slipway.commit": "c0ffee",
        "dev.slipway.published": "2026-05-04T12:00:00.000+00:00",
    }  # fmt: skip


def test_an_image_that_has_not_changed_is_claimed_as_that_of_the_release_that_built_it():
    of = pinned("web")
    found = claims_of_images(release(tag="v9", images={of: Image(signed=WEB)}))
    assert [(claim.reference, claim.annotations) for claim in found] == [(of, SAID)]


def test_an_image_from_elsewhere_that_is_only_pinned_has_no_signature_of_ours():
    assert claims_of_images(release(images={pinned("web"): Image(built=False)})) == []


def test_a_release_that_does_not_say_what_an_image_it_built_is_signed_as_is_refused():
    with pytest.raises(SignedAsAnother, match=r"does not say what .*web@sha256.* is signed as"):
        claims_of_images(release())


def test_what_cosign_prints_is_read_by_digest():
    printed = "\n".join(
        ["", json.dumps([payload(digest("a"), a="1"), payload(digest("a"), a="2")]), json.dumps([payload(digest("b"))])]
    )
    assert read_payloads(printed) == {digest("a"): [{"a": "1"}, {"a": "2"}], digest("b"): [{}]}


NO_SIGNATURES = ["{", "[1]", "[{}]", '[{"critical": {"image": {}}}]', '[{"critical": 1}]', "[" * 100_000]


@pytest.mark.parametrize("printed", [*NO_SIGNATURES, '[{"critical": {"image": {"docker-manifest-digest": 1}}}]'])
def test_what_is_no_signature_is_one_known_error(printed):
    with pytest.raises(VerificationFailed):
        read_payloads(printed)


CLAIM = Claim(pinned("web"), SAID, "the image of service web")
LACKING = [{name: value for name, value in SAID.items() if name != left_out} for left_out in SAID]
OTHERS = [{**SAID, name: "other"} for name in SAID]


@pytest.mark.parametrize("said", [*LACKING, *OTHERS, {**SAID, "dev.slipway.source": "postgres:16"}, {}])
def test_a_signature_that_says_less_more_or_something_else_does_not_match(said):
    assert matching(CLAIM, [said]) is None
    error = signed_as_another(CLAIM, [said])
    assert isinstance(error, SignedAsAnother)
    assert "the image of service web is signed as something else: " in str(error)


def test_what_one_signature_lacks_is_not_taken_from_another():
    half = [{**SAID, "dev.slipway.service": "db"}, {**SAID, "dev.slipway.release": "v0"}]
    assert matching(CLAIM, half) is None
    assert "no signature has all of what was asked for together" in str(signed_as_another(CLAIM, half))


def test_of_several_signatures_the_one_that_fits_counts_and_the_newest_of_these():
    newer = {**SAID, signatures.PUBLISHED: "2026-05-05"}
    found = matching(CLAIM, [{**SAID, signatures.PUBLISHED: "2026-05-04"}, newer, {**SAID, "dev.slipway.stack": "x"}])
    assert found == newer


def test_the_differences_are_told():
    error = signed_as_another(CLAIM, [{**SAID, "dev.slipway.service": "db", "dev.slipway.commit": "bad"}])
    assert "service db, not web; commit bad, not c0ffee" in str(error)


def test_an_image_that_was_signed_before_for_this_service_stays_what_it_is():
    assert signed_before([{}, SAID], "shop", "web") == WEB
    assert signed_before([SAID], "shop", "db") is None
    assert signed_before([SAID], "billing", "web") is None
    assert signed_before([SAID], "shop", "web", "postgres:16") is None
