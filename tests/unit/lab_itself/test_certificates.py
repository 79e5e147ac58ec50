"""The lab's authority signs once, for the addresses of its registries; what engines trust is laid out by registry."""

import ipaddress
import re

import pytest
from cryptography import x509

from tests.support.lab_scripts import LAB, Machine, lab_certificates

pytestmark = pytest.mark.unit
ADDRESSES = ["198.18.199.250:5000", "198.18.199.251:5001", "198.18.199.252:5000"]
make_missing = lab_certificates().make_missing


@pytest.fixture
def made(tmp_path):
    make_missing(tmp_path, ADDRESSES)
    return tmp_path


def content(directory):
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_the_key_is_its_owners_alone_and_the_authoritys_own_is_nowhere(made):
    keys = [path for path in made.rglob("*") if path.is_file() and "PRIVATE KEY" in path.read_text()]
    assert keys == [made / "tls/registry.key"]
    assert keys[0].stat().st_mode & 0o777 == 0o600


def test_the_certificate_is_for_the_registries_and_nothing_else(made):
    certificate = x509.load_pem_x509_certificate((made / "tls/registry.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.IPAddress(ipaddress.ip_address(a.partition(":")[0])) for a in ADDRESSES]
    authority = x509.load_pem_x509_certificate((made / "tls/ca.crt").read_bytes())
    certificate.verify_directly_issued_by(authority)
    assert {str(path.parent.relative_to(made / "certs.d")) for path in made.glob("certs.d/*/ca.crt")} == set(ADDRESSES)
    assert {path.read_bytes() for path in made.glob("certs.d/*/ca.crt")} == {(made / "tls/ca.crt").read_bytes()}


def test_it_is_made_once_and_anew_for_other_addresses(made):
    before = content(made)
    make_missing(made, ADDRESSES)
    assert content(made) == before
    make_missing(made, ADDRESSES[:1])
    after = content(made)
    assert set(after) < set(before)
    assert not {name for name in after if after[name] == before[name]}


PRIVATE = [ipaddress.ip_network(net) for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def test_no_registry_of_the_lab_has_an_address_where_http_would_do(tmp_path):
    """An engine asks for no certificate on loopback, and cosign falls back to http on private networks."""
    said = Machine.at(tmp_path).run("-c", '. "$LAB_DIR/common.sh"; echo $LAB_REGISTRIES').stdout.split()
    assert said == ADDRESSES
    assert not any(ipaddress.ip_address(address.partition(":")[0]) in net for address in said for net in PRIVATE)
    assert re.search(
        r"^  tls: \{certificate: \S+, key: \S+, minimumtls: tls1.2\}$", (LAB / "registry/config.yml").read_text(), re.M
    )
