"""Whether signatures are verified, and what a record says of it."""

import pytest

from flows.core.errors import NotVerified, ReleaseReplayed
from flows.core.records.history import History
from flows.core.records.record import Record, Verified
from flows.core.trust.policy import Proof, decided_policy, document_hash, refuse_unverified_record

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("keys", "decided"), [(True, "enforce"), (False, "none")])
def test_with_a_key_saved_verification_is_enforced_without_a_word(keys, decided):
    assert decided_policy("", {}, ("shop", "green"), keys=keys) == decided


@pytest.mark.parametrize("said", ["enforce", "warn", "off"])
@pytest.mark.parametrize("keys", [True, False])
def test_what_is_set_counts_with_and_without_a_key(said, keys):
    assert decided_policy(said, {}, ("shop",), keys=keys) == said


def test_of_the_policies_of_a_stack_and_its_droplets_the_strictest_counts():
    own = {"shop": "off", "green": "warn", "production": "enforce"}
    assert decided_policy("enforce", own, ("shop", "green"), keys=True) == "warn"
    assert decided_policy("off", own, ("shop", "green", "production"), keys=False) == "enforce"
    assert decided_policy("warn", own, ("billing", "blue"), keys=True) == "warn"


PROVED = Verified(key="SHA256:k", digest="sha256:d", published="2026-05-04T12:00:00.000+00:00", document="d0c")


def record(**more) -> Record:
    return Record(**{"number": 1, "stack": "shop", "tag": "v1", "name": "v1-abc", **more})


def test_a_release_that_was_let_pass_unverified_is_not_put_in_force_again():
    with pytest.raises(NotVerified, match="could not be verified: it is not signed"):
        refuse_unverified_record(record(unverified="it is not signed"))


def test_one_that_was_put_there_before_there_was_a_key_can_still_be_rolled_back_to():
    refuse_unverified_record(record(), "any")


def test_a_document_that_was_changed_on_the_droplet_is_refused():
    refuse_unverified_record(record(verified=PROVED), "d0c")
    with pytest.raises(NotVerified, match="is not the one that was verified"):
        refuse_unverified_record(record(verified=PROVED), "other")


def test_a_line_break_that_was_lost_on_the_way_is_no_change():
    assert document_hash(b"{}\n") == document_hash(b"{}") != document_hash(b"{ }")


def test_the_proof_of_a_droplet_is_of_the_document_that_it_is_given():
    assert Proof(PROVED).of(b"{}").verified == PROVED.model_copy(update={"document": document_hash(b"{}")})
    assert Proof(unverified="off").of(b"{}") == Proof(unverified="off")


def history(published: str, tag: str = "v1") -> History:
    return History((record(tag=tag, verified=PROVED.model_copy(update={"published": published})),))


def test_an_older_release_of_the_same_tag_is_a_replay():
    with pytest.raises(ReleaseReplayed, match=r"slipway deploy --tag v1 --digest sha256:d"):
        Proof(PROVED).refuse_replayed(history("2026-05-04T12:00:00.001+00:00"), "v1")


@pytest.mark.parametrize(("proof", "known"), [
    (Proof(PROVED), history(PROVED.published)),
    (Proof(PROVED), history("2027", tag="v2")),
    (Proof(PROVED, named=True), history("2027")),
    (Proof(unverified="off"), history("2027")),
    (Proof(PROVED), History((record(),))),
])  # fmt: skip
def test_the_same_one_a_newer_one_another_tag_or_one_named_by_its_digest_is_none(proof, known):
    proof.refuse_replayed(known, "v1")
