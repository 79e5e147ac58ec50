"""The command lines of cosign, and what its answers mean."""

import pytest

from flows.core.trust.cosign import CosignCommands, SignatureVerdict, falls_back_to_http, read_verdict

pytestmark = pytest.mark.unit

REFERENCE = "registry.example.com/web@sha256:1"


def test_signing_uploads_nothing_to_a_public_log_and_names_the_key_by_a_variable():
    assert CosignCommands().sign([REFERENCE, "b"], {"b": "2", "a": "1"}) == [
        "cosign", "sign", "--yes", "--tlog-upload=false", "--key", "env://SLIPWAY_COSIGN_KEY",
        "-a", "a=1", "-a", "b=2", "--", REFERENCE, "b",
    ]  # fmt: skip


def test_a_key_in_a_kms_is_named():
    assert CosignCommands().sign([REFERENCE], {}, "awskms:///alias/slipway")[4:6] == [
        "--key",
        "awskms:///alias/slipway",
    ]


def test_a_cosign_that_would_sign_in_another_format_is_told_not_to():
    later = CosignCommands(help="--use-signing-config=true:\n --new-bundle-format=true:")
    for argv in (later.sign([REFERENCE], {}), later.attest(REFERENCE, "cyclonedx", "p.json")):
        assert argv[4:6] == ["--use-signing-config=false", "--new-bundle-format=false"]
    assert "--new-bundle-format=false" in later.verify([REFERENCE])


def test_verifying_needs_nothing_of_the_public_infrastructure():
    assert CosignCommands(certificate="/ca.pem").verify([REFERENCE]) == [
        "cosign", "verify", "--private-infrastructure", "--key", "env://SLIPWAY_COSIGN_PUBLIC_KEY",
        "--registry-cacert", "/ca.pem", "--output", "json", "--", REFERENCE,
    ]  # fmt: skip


@pytest.mark.parametrize("argv", [
    CosignCommands().sign([REFERENCE], {}), CosignCommands().verify([REFERENCE]),
    CosignCommands().attest(REFERENCE, "cyclonedx", "p"), CosignCommands().verify_attestation(REFERENCE, "cyclonedx"),
])  # fmt: skip
def test_a_reference_is_never_taken_for_an_option(argv):
    assert argv[argv.index("--") + 1 :] == [REFERENCE]


SAID = {
    (0, ""): SignatureVerdict.SIGNED,
    (10, "Error: no signatures found"): SignatureVerdict.UNSIGNED,
    (12, "Error: no matching signatures: invalid signature when validating ASN.1 encoded signature"):
        SignatureVerdict.OTHER_KEY,
    (12, "Error: no matching signatures: invalid or missing digest in claim: sha256:80d9"): SignatureVerdict.MOVED,
    (10, "Error: something new"): SignatureVerdict.UNCLEAR,
    (1, "Error: dial tcp 127.0.0.1:5000: connect: connection refused"): SignatureVerdict.UNCLEAR,
    (124, "`cosign` did not end within 120 s"): SignatureVerdict.UNCLEAR,
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), SAID)
def test_an_answer_means_one_thing(code, said):
    assert read_verdict(code, said) is SAID[code, said]


@pytest.mark.parametrize(("host", "falls"), [
    ("10.0.0.4:5000", True), ("172.17.0.1", True), ("192.168.1.1:443", True), ("172.32.0.1", False),
    ("198.18.199.250:5000", False), ("127.0.0.1:5000", False), ("registry.example.com", False),
    ("10.example.com", False),
])  # fmt: skip
def test_a_private_address_is_where_cosign_would_speak_http(host, falls):
    assert falls_back_to_http(host) is falls
