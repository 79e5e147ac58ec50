"""Answers have an end: in bytes, also once unpacked, and in time."""

import gzip
import zlib
from contextlib import contextmanager

import httpx
import pytest

from blocks.http.bounded import LARGEST, MOST, BoundedTransport, bounded_client, proxy_for
from tests.support import PATIENCE
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit


class Source(httpx.SyncByteStream):
    """A body without an end, which counts the pieces that were taken of it."""

    def __init__(self, piece: bytes, first: bytes = b"") -> None:
        self.piece, self.first, self.taken, self.closed = piece, first, 0, False

    def __iter__(self):
        yield self.first
        while True:
            self.taken += 1
            yield self.piece

    def close(self) -> None:
        self.closed = True


def client(body, within: float | None = PATIENCE, **headers: str) -> httpx.Client:
    inner = httpx.MockTransport(lambda _request: httpx.Response(200, headers=headers, stream=body))
    return httpx.Client(transport=BoundedTransport(inner, within))


@contextmanager
def answering(packed: bytes, coding: str = "gzip"):
    with (
        serving(lambda _asked: Says(200, packed, {"Content-Encoding": coding})) as server,
        bounded_client(server.url, timeout=PATIENCE, base_url=server.url) as http,
    ):
        yield http


def test_a_body_without_an_end_is_read_to_the_limit_and_closed():
    body = Source(b"x" * 65_536)
    with client(body) as http, pytest.raises(httpx.ReadError, match="larger than 1,000,000 bytes"):
        http.get("http://x", extensions={MOST: 1_000_000})
    assert body.taken == 1_000_000 // 65_536 + 1
    assert body.closed


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_body_that_unpacks_to_more_than_the_limit_is_not_unpacked_whole(coding):
    packer = zlib.compressobj(9, wbits=31 if coding == "gzip" else 15)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(LARGEST // (1 << 20) + 8)) + packer.flush()
    assert len(packed) < 100_000
    with answering(packed, coding) as http, pytest.raises(httpx.ReadError, match="larger"):
        http.get("/")


def test_a_body_that_drips_has_an_end_though_bytes_come():
    body = Source(b"x")
    with client(body, within=0.0001) as http, pytest.raises(httpx.ReadTimeout, match=r"did not end within 0\.0001 s"):
        http.get("http://x", extensions={MOST: 10**12})
    assert body.closed


def test_what_is_packed_is_unpacked():
    with answering(gzip.compress(b"said")) as http:
        answer = http.get("/")
    assert answer.text == "said"
    assert answer.request.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(("content", "coding"), [(b"no gzip", "gzip"), (b"x", "br")])
def test_what_is_not_packed_as_we_asked_is_an_error(content, coding):
    with answering(content, coding) as http, pytest.raises(httpx.DecodingError):
        http.get("/")


@pytest.mark.parametrize("charset", ["hex", "base64", "zip", "punycode", "idna", "none-such", "rot13", "\u00e9"])
def test_a_charset_that_is_none_is_passed_over(charset):
    body, kind = httpx.ByteStream(b"said"), f"text/plain; charset={charset}"
    inner = httpx.MockTransport(
        lambda _request: httpx.Response(200, headers=[(b"Content-Type", kind.encode("latin-1"))], stream=body)
    )
    with httpx.Client(transport=BoundedTransport(inner)) as http:
        assert http.get("http://x").text == "said"


def test_a_charset_of_a_text_counts():
    with client(httpx.ByteStream("ü".encode("latin-1")), **{"content-type": "text/plain; charset=latin-1"}) as http:
        assert http.get("http://x").text == "ü"


def test_the_proxy_of_the_environment_is_used_and_its_exceptions_too(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxy_for("https://api.example.com") is None
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "example.com")
    assert proxy_for("https://api.example.com") is None
    assert proxy_for("https://other.example.org:8443/x") == "http://proxy:3128"
    assert proxy_for("http://other.example.org") is None
