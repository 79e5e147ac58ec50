"""One HTTP request with an end, however slowly its answer comes."""

import httpx
import pytest

from blocks.http.request import request_within
from tests.support import PATIENCE
from tests.support.http_server import Says, dripping, serving

pytestmark = pytest.mark.unit


def test_an_answer_is_given_whole():
    with serving(lambda _asked: Says(content={"a": 1})) as server:
        assert request_within("GET", server.url, PATIENCE, params={"q": "x"}).json() == {"a": 1}
        assert server.asked[0].query == {"q": ["x"]}


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Drip: "])
def test_an_answer_that_drips_has_an_end_and_is_not_read_on(head):
    with dripping(head) as (url, left):
        with pytest.raises(httpx.ReadTimeout, match=r"did not end within 0\.1 s"):
            request_within("GET", url, 0.1)
        assert left.wait(PATIENCE)


def test_nobody_there_is_told_as_httpx_tells_it():
    with pytest.raises(httpx.ConnectError):
        request_within("GET", "http://127.0.0.1:1", 2)
