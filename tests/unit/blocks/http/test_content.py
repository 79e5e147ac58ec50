"""JSON of others: whatever is wrong with it is a ValueError, and a provider that sends it has failed."""

import pytest

from blocks import Langfuse, Prometheus
from blocks.digitalocean.client import DigitalOcean
from blocks.errors import OutsideError
from blocks.http.content import read_json
from blocks.registry.client import RegistryClient
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit

DEEP = b"[" * 100_000
RUBBISH = [DEEP, b'{"data": ', b"null", b"9" * 5000, b'"data"']


def test_json_that_is_nested_too_deeply_is_a_value_error():
    assert read_json(b'{"a": [1]}') == {"a": [1]}
    with pytest.raises(ValueError, match="deeply"):
        read_json(DEEP)


@pytest.mark.parametrize("body", RUBBISH, ids=range(len(RUBBISH)))
def test_a_provider_that_sends_rubbish_has_failed(body):
    with serving(lambda _asked: Says(200, body)) as http:
        host = http.url.removeprefix("http://")
        asks = [
            lambda: Prometheus(url=http.url).query("up"),
            lambda: Langfuse(url=http.url, public_key="pk", secret_key="s").reach(),
            lambda: DigitalOcean("t", http.url, 0.1).account(),
            lambda: DigitalOcean("t", http.url, 0.1).droplets.named("web-1"),
            lambda: RegistryClient(host).manifest("shop", "1.0"),
        ]
        for ask in asks:
            with pytest.raises(OutsideError):
                ask()
