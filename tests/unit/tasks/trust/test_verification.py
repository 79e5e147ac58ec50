"""A release is proved by every signature that it needs, by whichever trusted key; else it is refused by its kind."""

import json
import logging
import subprocess
from contextlib import contextmanager, nullcontext

import pytest

from blocks import ContainerRegistry, SigningKey, TrustedKeys
from blocks.signing.trusted_keys import TrustedKey
from flows.core.errors import (
    CosignMissing,
    NoSigningKey,
    NothingTrusted,
    NotVerified,
    SignatureMoved,
    SignedAsAnother,
    SignedByAnother,
    Unsigned,
    VerificationFailed,
)
from flows.core.release.release import Image, SignedAs
from flows.core.trust.cosign import PUBLIC_KEY, CosignCommands
from flows.core.trust.signatures import image_annotations, release_annotations
from flows.settings import Settings
from flows.tasks.trust import verification
from tests.support.builders import HOST, pinned, public_key, release

pytestmark = pytest.mark.unit

ONE, TWO, STRANGER = (TrustedKey(public_key=public_key(name)) for name in ("one", "two", "stranger"))
AT = "2026-05-04T12:00:00.000+00:00"
DOCUMENT, WEB, DB = pinned("shop-release", "d"), pinned("web"), pinned("db", "b")
SIGNED = {WEB: SignedAs(service="web", release="v1"), DB: SignedAs(service="db", release="v0")}
RELEASE = release(services={"web": WEB, "db": DB}, images={ref: Image(signed=SIGNED[ref]) for ref in SIGNED})
ANNOTATIONS = {
    DOCUMENT: release_annotations(RELEASE, AT),
    **{reference: image_annotations("shop", signed) for reference, signed in SIGNED.items()},
}
PROVE = verification.prove_release.fn
REGISTRY = ContainerRegistry(registry_url=HOST, username="u", password="p")
MOVED = "no matching signatures: invalid or missing digest in claim: sha256:0"
OTHER = "no matching signatures: invalid signature when validating ASN.1 encoded signature"


class FakeCosign:
    """Cosign as it answers: the first image that a key has not signed ends it."""

    def __init__(self, store: dict) -> None:
        self.commands = CosignCommands()
        self.store = store
        self.calls: list[list[str]] = []

    def run(self, argv, keys):
        references = argv[argv.index("--") + 1 :]
        self.calls.append(references)
        printed = []
        for reference in references:
            code, said, payloads = self.look(reference, keys[PUBLIC_KEY])
            if code:
                return subprocess.CompletedProcess(argv, code, "\n".join(printed), f"Error: {said}")
            printed.append(json.dumps(payloads))
        return subprocess.CompletedProcess(argv, 0, "\n".join(printed), "")

    def run_all(self, commands, keys):
        return [self.run(argv, keys) for argv in commands]

    def look(self, reference, key):
        there = self.store.get(reference, [])
        if isinstance(there, tuple):
            return (*there, [])
        if not there:
            return 10, "no signatures found", []
        own = [said for by, said in there if by.public_key == key]
        digest = reference.partition("@")[2]
        made = [{"critical": {"image": {"docker-manifest-digest": digest}}, "optional": said} for said in own]
        return (0, "", made) if own else (12, OTHER, [])


def all_by(key) -> dict:
    return {reference: [(key, said)] for reference, said in ANNOTATIONS.items()}


@pytest.fixture
def verify(monkeypatch):
    """Verifies what is stored, by these keys and this setting; returns the proof and what cosign was asked."""

    def call(store, *keys, verification_setting=""):
        cosign = FakeCosign(store)

        @contextmanager
        def at(_registry, _settings):
            yield cosign

        monkeypatch.setattr(verification, "cosign_at", at)
        monkeypatch.setattr(verification, "load_trusted_keys", lambda _settings: keys)
        monkeypatch.setattr(verification, "get_run_logger", lambda: logging.getLogger("test"))
        monkeypatch.setattr(verification, "prove_release", PROVE)
        settings = Settings(verification=verification_setting)
        return verification.verify_release(RELEASE, DOCUMENT, REGISTRY, settings), cosign.calls

    return call


def test_all_that_was_signed_is_verified_by_one_call(verify):
    proof, calls = verify(all_by(ONE), ONE)
    assert (proof.verified.key, proof.verified.published) == (ONE.fingerprint, AT)
    assert DOCUMENT.endswith(proof.verified.digest)
    assert [set(call) for call in calls] == [{DOCUMENT, WEB, DB}]


def test_while_a_key_is_replaced_both_have_signed(verify):
    store = {**all_by(TWO), DB: [(ONE, ANNOTATIONS[DB])]}
    proof, _ = verify(store, ONE, TWO)
    assert proof.verified.key == TWO.fingerprint


def test_a_signature_by_a_stranger_beside_ours_changes_nothing(verify):
    store = all_by(ONE)
    store[WEB] = [(STRANGER, {**ANNOTATIONS[WEB], "dev.slipway.service": "db"}), *store[WEB]]
    proof, _ = verify(store, ONE)
    assert proof.verified


REFUSED = {
    "the document is not signed": ({DOCUMENT: []}, Unsigned, "release v1 of shop is not signed"),
    "an image is not signed": ({WEB: []}, Unsigned, "the image of service web"),
    "another key": ({WEB: [(STRANGER, ANNOTATIONS[WEB])]}, SignedByAnother, "not with a key that is trusted"),
    "the document by another key": ({DOCUMENT: [(STRANGER, ANNOTATIONS[DOCUMENT])]}, SignedByAnother, "release v1"),
    "a moved signature": ({WEB: (12, MOVED)}, SignatureMoved, "the signature of something else"),
    "another service": (
        {WEB: [(ONE, {**ANNOTATIONS[WEB], "dev.slipway.service": "db"})]}, SignedAsAnother, "service db, not web"),
    "no annotations": ({WEB: [(ONE, {})]}, SignedAsAnother, "stack None, not shop"),
    "another stack": (
        {DOCUMENT: [(ONE, {**ANNOTATIONS[DOCUMENT], "dev.slipway.stack": "billing"})]}, SignedAsAnother, "billing"),
    "another release": (
        {DOCUMENT: [(ONE, {**ANNOTATIONS[DOCUMENT], "dev.slipway.release": "v0"})]}, SignedAsAnother, "release v0"),
    "another commit": (
        {DOCUMENT: [(ONE, {**ANNOTATIONS[DOCUMENT], "dev.slipway.commit": "bad"})]}, SignedAsAnother, "commit bad"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "kind", "words"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("keys", [(ONE,), (TWO, ONE), (ONE, TWO)], ids=["one key", "a new key", "an old key"])
def test_what_is_not_as_we_signed_it_is_refused_by_its_kind(verify, change, kind, words, keys):
    with pytest.raises(kind, match=words) as refused:
        verify({**all_by(ONE), **change}, *keys)
    assert type(refused.value) is kind
    assert "Nothing was changed" in str(refused.value)


@pytest.mark.parametrize("change", [change for change, _, _ in REFUSED.values()], ids=REFUSED)
def test_where_it_only_warns_the_record_says_why_nothing_was_proved(verify, change):
    proof, _ = verify({**all_by(ONE), **change}, ONE, verification_setting="warn")
    assert proof.verified is None
    assert proof.unverified


def test_a_registry_that_does_not_answer_proves_nothing(verify):
    store = {**all_by(ONE), WEB: (1, "dial tcp: connection refused")}
    with pytest.raises(VerificationFailed, match="connection refused"):
        verify(store, ONE)
    assert "connection refused" in verify(store, ONE, verification_setting="warn")[0].unverified


def test_without_a_key_nothing_is_asked_and_nothing_is_proved(verify):
    proof, calls = verify({}, verification_setting="")
    assert (proof.verified, proof.unverified, calls) == (None, "", [])


def test_where_it_is_off_the_record_says_so(verify):
    proof, calls = verify({}, ONE, verification_setting="off")
    assert (proof.verified, proof.unverified, calls) == (None, "verification was off", [])


def test_what_must_be_verified_is_refused_while_no_key_is_trusted(verify):
    with pytest.raises(NothingTrusted, match="slipway keys generate"):
        verify(all_by(ONE), verification_setting="enforce")


def test_where_there_is_no_cosign_nothing_passes(monkeypatch):
    monkeypatch.setattr(verification, "load_trusted_keys", lambda _settings: (ONE,))
    monkeypatch.setattr(verification, "get_run_logger", lambda: logging.getLogger("test"))
    monkeypatch.setattr(verification, "prove_release", PROVE)
    with pytest.raises(CosignMissing, match="SLIPWAY_COSIGN"):
        verification.verify_release(RELEASE, DOCUMENT, REGISTRY, Settings(cosign="no-such-cosign"))


def test_a_key_that_is_none_is_refused_when_it_is_saved():
    with pytest.raises(ValueError, match="no public key"):
        TrustedKeys(keys=[{"public_key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}])


def test_not_verified_is_one_kind():
    assert {kind.__base__ for _, kind, _ in REFUSED.values()} == {NotVerified}


@pytest.mark.parametrize(("keys", "droplet", "setting", "refused"), [
    ((ONE,), "green", "", True), ((ONE,), None, "", False), ((), "green", "", False), ((ONE,), "green", "warn", False),
    ((), "green", "enforce", True),
])  # fmt: skip
def test_what_could_not_be_deployed_unsigned_is_not_built_without_a_key(monkeypatch, keys, droplet, setting, refused):
    monkeypatch.setattr(verification, "load_trusted_keys", lambda _settings: keys)
    wanted = pytest.raises(NoSigningKey, match="Nothing was built") if refused else nullcontext()
    with wanted:
        verification.check_signing(None, "shop", Settings(verification=setting), droplet)


def test_without_cosign_nothing_is_built_that_must_be_signed():
    key = SigningKey(public_key=public_key("one"), kms="awskms:///alias/slipway")
    with pytest.raises(CosignMissing):
        verification.check_signing(key, "shop", Settings(cosign="no-such-cosign"), None)
