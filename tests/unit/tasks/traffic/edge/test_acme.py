"""An authority that cannot be reached, at a real Caddy: what has a certificate is served on, and a new host is told."""

import datetime
import json
import socket
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from flows.core.traffic.edge.caddyfile import EdgeSettings
from flows.core.traffic.edge.site import EdgeRoute, Site
from flows.tasks.traffic.edge import serving
from tests.support.edge.real_caddy import HOST, RealCaddy, caddy_version, colour_server, free_port, needs_caddy

pytestmark = [pytest.mark.unit, needs_caddy]
NEW = "new.example.com"


class BehindNoAuthority(RealCaddy):
    """A Caddy whose authority (ACME) is an address of this machine where nobody listens."""

    def put_settings(self) -> None:
        self.authority = f"https://127.0.0.1:{free_port()}/directory"
        admin = f"unix/{self.place}/admin.sock"
        told = EdgeSettings("", "acme", caddy_version(), admin, self.http, self.https, "127.0.0.1").text()
        (self.place / "config/Caddyfile").write_text(
            told.replace("\tskip_install_trust", f"\tskip_install_trust\n\tacme_ca {self.authority}", 1)
        )

    def keep_certificate(self, host: str) -> str:
        """Put a certificate where it would be from an earlier time, when the authority answered; returns it (PEM).

        The place: github.com/caddyserver/certmagic, storage.go.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=89))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        issuer = self.authority.removeprefix("https://").replace("/", "-").replace(":", "-")
        place = self.place / "data/caddy/certificates" / issuer / host
        place.mkdir(parents=True)
        pem = made.public_bytes(serialization.Encoding.PEM)
        (place / f"{host}.crt").write_bytes(pem)
        (place / f"{host}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        (place / f"{host}.json").write_text(json.dumps({"sans": [host], "issuer_data": {}}))
        return pem.decode()


@pytest.fixture
def green():
    with colour_server("green") as colour:
        yield colour


def routes(*hosts: str, port: int) -> Site:
    return Site("shop", {host: (EdgeRoute("/", {"green": (port,)}),) for host in hosts})


def test_the_old_certificate_serves_on_a_new_host_is_named_and_nothing_fails(tmp_path, green, monkeypatch):
    caddy = BehindNoAuthority(tmp_path)
    authority = caddy.keep_certificate(HOST)
    caddy.put(routes(HOST, port=green.port))
    caddy.turn("shop", "green")
    with caddy:
        assert caddy.get().text == "green"
        caddy.put(routes(HOST, NEW, port=green.port))
        assert caddy.run("reload").returncode == 0
        assert caddy.get().text == "green"
        session = SimpleNamespace(open_socket=lambda *_place: socket.create_connection(("127.0.0.1", caddy.https)))
        monkeypatch.setattr(serving, "edge_authority", lambda _session: authority)
        monkeypatch.setattr(serving, "_CERTIFIED", 0.0)
        assert serving.await_certificates(session, [HOST, NEW]) == [NEW]
        assert caddy.get().text == "green"
