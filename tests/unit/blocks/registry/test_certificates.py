"""Whose certificate a registry may show: a public authority's, or that of the authority in its block; no other."""

import io
import socket
from pathlib import Path

import pytest
from pydantic import ValidationError

from blocks import ContainerRegistry
from blocks.errors import CertificateRefused, Unreachable
from blocks.http import tls
from tests.support.lab_scripts import lab_certificates
from tests.support.registry_server import PASSWORD, USER, server_context, serving

pytestmark = pytest.mark.unit
NAME = "registry.slipway.test"
authority, another = (lab_certificates().Authority(name) for name in ("one", "another"))


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Opens a registry that shows a certificate for `names`; this machine has the name `NAME`, too."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: look_up(
        "127.0.0.1" if host == NAME else host, *rest, **more))  # fmt: skip
    return lambda name=NAME, *, login="basic", names=(NAME,): serving(
        login, name, server_context(tmp_path, *authority.sign(names))
    )


def block(server, **more):
    return ContainerRegistry(registry_url=server.host, username=USER, password=PASSWORD, **more)


@pytest.mark.parametrize("login", ["basic", "bearer"])
def test_a_registry_whose_authority_is_in_its_block_is_spoken_to(serve, login):
    with serve(login=login) as server:
        assert "accepted" in block(server, ca_certificate=authority.certificate).reach()
        assert ("GET /token" in server.asked) is (login == "bearer")


@pytest.mark.parametrize("given", [{}, {"ca_certificate": another.certificate}])
def test_without_it_the_registry_is_refused_before_anything_is_sent(serve, given):
    with serve() as server, pytest.raises(CertificateRefused) as refused:
        block(server, **given).reach()
    assert server.asked == []
    assert f"registry {server.host}: the certificate of {server.host} is not trusted: " in str(refused.value)
    assert "slipway registry set --ca FILE" in str(refused.value)


def test_with_an_authority_of_its_own_the_public_ones_are_trusted_too_and_nobody_else_trusts_it():
    public, own = (
        {one["serialNumber"] for one in context.get_ca_certs()}
        for context in (tls.context(), tls.context(authority.certificate))
    )
    assert len(public) > 50
    assert (own > public, len(own - public)) == (True, 1)


def test_a_certificate_for_another_name_is_refused(serve):
    with serve(names=["other.slipway.test"]) as server, pytest.raises(CertificateRefused, match="mismatch"):
        block(server, ca_certificate=authority.certificate).reach()
    assert server.asked == []


def test_a_token_service_with_another_certificate_gets_no_login(serve, tmp_path):
    (tmp_path / "other").mkdir()
    with (
        serve(login="bearer") as server,
        serving("basic", NAME, server_context(tmp_path / "other", *another.sign([NAME]))) as elsewhere,
    ):
        server.token_service = f"https://{elsewhere.host}/token"
        with pytest.raises(CertificateRefused, match=f"registry {server.host}: the certificate of {elsewhere.host}"):
            block(server, ca_certificate=authority.certificate).reach()
    assert elsewhere.asked == []


def test_with_an_authority_this_machine_has_to_show_a_certificate_too(serve):
    with serve("127.0.0.1", names=["127.0.0.1"]) as server:
        block(server, ca_certificate=authority.certificate).reach()
    with serving("basic") as in_clear, pytest.raises(Unreachable):
        block(in_clear, ca_certificate=authority.certificate).reach()
    assert in_clear.asked == []


def test_a_refused_certificate_is_told_while_a_blob_is_fetched_too(serve):
    digest = f"sha256:{'a' * 64}"
    with serve() as server, server.client() as client, pytest.raises(CertificateRefused):
        client.download("team/web", digest, 10, io.BytesIO())


@pytest.mark.parametrize(("given", "why"), [
    ("hello", "no certificate in PEM format"), ("hé", "no certificate in PEM format"),
    ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate in PEM format"),
    (authority.certificate + authority.sign([NAME])[0], "it holds a private key"),
])  # fmt: skip
def test_what_is_no_certificate_is_not_saved(given, why):
    with pytest.raises(ValidationError, match=why):
        ContainerRegistry(registry_url=NAME, username=USER, password=PASSWORD, ca_certificate=given)


@pytest.mark.parametrize(("before", "kept"), [("", "/etc/ssl/certs:/etc/pki/tls/certs"), ("/company", "/company")])
def test_the_docker_client_is_told_of_the_authority_beside_the_machines_own_and_only_while_it_is_needed(
    monkeypatch, before, kept
):
    monkeypatch.setenv("SSL_CERT_DIR", before)
    registry = ContainerRegistry(registry_url=NAME, username=USER, password=PASSWORD)
    with registry.docker_config() as env:
        assert set(env) == {"DOCKER_CONFIG"}
    with registry.model_copy(update={"ca_certificate": authority.certificate}).docker_config() as env:
        assert env["SSL_CERT_DIR"] == f"{kept}:{env['DOCKER_CONFIG']}/authority"
        assert Path(env["DOCKER_CONFIG"], "authority/ca.crt").read_text() == authority.certificate
    assert not Path(env["DOCKER_CONFIG"]).exists()
