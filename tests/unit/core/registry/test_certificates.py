"""What is advised where an engine does not trust a registry's certificate."""

import pytest

from flows.core.registry.certificates import certificate_hint

pytestmark = pytest.mark.unit
REFUSED = "tls: failed to verify certificate: x509: certificate signed by unknown authority"


@pytest.mark.parametrize(("said", "place"), [
    (f'Error response from daemon: Get "https://10.0.0.7:5000/v2/": {REFUSED}', "10.0.0.7:5000/ca.crt"),
    (f'pulling\nfailed to do request: Head "https://[::1]:5000/v2/a/manifests/1": {REFUSED}\nx', "[::1]:5000/ca.crt"),
    (REFUSED, "HOST:PORT/ca.crt"),
])  # fmt: skip
def test_it_is_said_where_the_authoritys_certificate_belongs(said, place):
    assert f"belongs there in /etc/docker/certs.d/{place}" in certificate_hint(said)


@pytest.mark.parametrize("said", ["", "https://10.0.0.7:5000 unauthorized", "no space left on device", "x509"])
def test_of_anything_else_nothing_is_said(said):
    assert certificate_hint(said) == ""
