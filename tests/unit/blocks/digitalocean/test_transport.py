"""One call to DigitalOcean's API: what is asked again and what never, limits, pages, and errors in words."""

import threading
import time
from collections import Counter

import pytest

from blocks.digitalocean.transport import AT_ONCE, Transport
from blocks.errors import AnswerLost, ApiFailed, NotAtDigitalOcean, RateLimited, TokenRefused, Unreachable
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit
TOKEN = "dop_v1_" + "a" * 20
BUSY = {"id": "too_many_requests", "message": "API rate limit exceeded."}
BROKEN = Says(500, {"id": "server_error", "message": "Unexpected server-side error", "request_id": "4d9d"})


class Script:
    """Answers in this order; the last one again and again."""

    def __init__(self, *says):
        self.says = list(says)

    def __call__(self, _asked) -> Says:
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


def calling(answer, call, **options):
    """What the call gave or raised, and what was asked."""
    with serving(answer) as http:
        api = Transport(http.url, TOKEN, **{"patience": 0.0, **options})
        try:
            found = call(api)
        except Exception as error:
            found = error
        finally:
            api.close()
        assert len(api.calls) == len(http.asked)
        return found, http.asked


def get(api):
    return api.get("/v2/account", "account:read")


def post(api):
    return api.send("POST", "/v2/droplets", "droplet:create", {"name": "a"})


def test_a_call_carries_the_token_and_its_query():
    found, [asked] = calling(
        lambda _: Says(200, {"droplets": []}), lambda api: api.get("/v2/droplets", "droplet:read", name="a b", page=2)
    )
    assert found == {"droplets": []}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.query == {"name": ["a b"], "page": ["2"]}


def test_an_answer_without_content_is_empty():
    assert calling(lambda _: Says(204), post)[0] == {}


ERRORS = {
    "mistyped": (401, "unauthorized", TokenRefused, "slipway account set"),
    "no scope": (403, "forbidden", TokenRefused, "It needs the scope account:read"),
    "nothing there": (404, "not_found", NotAtDigitalOcean, "404 not_found: words (request 4d9d)"),
    "unprocessable": (422, "unprocessable_entity", ApiFailed, "422 unprocessable_entity: words (request 4d9d)"),
}


@pytest.mark.parametrize(("status", "id", "kind", "words"), ERRORS.values(), ids=ERRORS)
def test_an_error_names_the_call_the_id_and_what_to_do_and_is_not_asked_again(status, id, kind, words):
    said = Says(status, {"id": id, "message": "words", "request_id": "4d9d"})
    error, asked = calling(lambda _: said, get, patience=5)
    assert type(error) is kind
    assert "DigitalOcean: GET /v2/account" in str(error)
    assert words in str(error)
    assert TOKEN not in str(error)
    assert len(asked) == 1


def test_what_may_be_made_twice_is_asked_again_after_a_500(clock):
    found, asked = calling(Script(BROKEN, BROKEN, Says(200, {"account": 1})), get, patience=10, clock=clock)
    assert (found, len(asked)) == ({"account": 1}, 3)
    first, second = clock.pauses
    assert 0.17 < first < 0.33 < second < 0.66


def test_what_must_not_be_made_twice_is_lost_after_a_500():
    error, asked = calling(lambda _: BROKEN, post, patience=10)
    assert isinstance(error, AnswerLost)
    assert "It may have taken effect" in str(error)
    assert len(asked) == 1


def test_patience_ends(clock):
    error, asked = calling(lambda _: BROKEN, get, patience=60, clock=clock)
    assert isinstance(error, ApiFailed)
    assert error.status == 500
    assert len(asked) == len(clock.pauses) + 1
    assert 54 < clock.now() <= 60
    assert max(clock.pauses) < 5.3


@pytest.mark.parametrize("call", [get, post], ids=["get", "post"])
def test_a_burst_is_waited_for_as_long_as_it_says(call, clock):
    says = Script(Says(429, BUSY, {"retry-after": "7"}), Says(200, {"a": 1}))
    found, asked = calling(says, call, patience=10, clock=clock)
    assert (found, len(asked), clock.pauses) == ({"a": 1}, 2, [7])


def test_an_hour_that_is_used_up_is_told_and_not_waited_for(clock):
    reset = {"ratelimit-reset": str(int(time.time()) + 1800)}
    error, asked = calling(lambda _: Says(429, BUSY, reset), get, patience=5, clock=clock)
    assert isinstance(error, RateLimited)
    assert "lifted in 1" in str(error)
    assert (len(asked), clock.pauses) == (1, [])


@pytest.mark.parametrize(("call", "kind"), [(get, Unreachable), (post, Unreachable)], ids=["get", "post"])
def test_nobody_there_is_unreachable_and_nothing_is_lost(call, kind):
    api = Transport("http://127.0.0.1:9", TOKEN, 0)
    with pytest.raises(kind, match="Does `curl"):
        call(api)


@pytest.mark.parametrize(("call", "kind"), [(get, Unreachable), (post, AnswerLost)], ids=["get", "post"])
def test_an_answer_that_is_cut_is_lost_for_what_must_not_be_made_twice(call, kind):
    error, _ = calling(lambda _: Says(200, b'{"a"', {"Content-Length": "50", "Connection": "close"}), call)
    assert type(error) is kind


def test_html_is_no_answer():
    error, _ = calling(lambda _: Says(200, b"<html>"), get)
    assert isinstance(error, ApiFailed)
    assert "no JSON: <html>" in str(error)


class Pages:
    """A list of so many items; how many pages of it are asked for at a time is counted."""

    def __init__(self, count: int, changes: int = 0) -> None:
        self.items = [{"id": number} for number in range(count)]
        self.changes = changes
        self.now, self.most, self.lock = 0, 0, threading.Condition()

    def __call__(self, asked) -> Says:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.lock.notify_all()
        page, size = int(asked.query["page"][0]), int(asked.query["per_page"][0])
        with self.lock:
            # The pages after the first are asked for side by side: they wait for each other, once.
            beside = min(AT_ONCE, -(-len(self.items) // size) - 1) if page > 1 else 0
            self.lock.wait_for(lambda: self.most >= beside, timeout=5)
            self.lock.wait_for(lambda: self.most > AT_ONCE, timeout=0.02)  # one too many has its chance to come
            found = self.items[(page - 1) * size : page * size]
            total = len(self.items)
            if page == 1 and self.changes:
                self.changes -= 1
                self.items.insert(0, {"id": -len(self.items)})
            self.now -= 1
        return Says(200, {"things": found, "meta": {"total": total}, "links": {}})


def things(api):
    return [item["id"] for item in api.pages("/v2/things", "things", "thing:read")]


@pytest.mark.parametrize(("count", "calls"), [(0, 1), (1, 1), (200, 1), (201, 2), (2000, 10)])
def test_all_pages_are_read_a_few_at_a_time(count, calls):
    pages = Pages(count)
    found, asked = calling(pages, things)
    assert sorted(found) == list(range(count))
    assert len(asked) == calls
    assert Counter(a.query["page"][0] for a in asked).most_common(1)[0][1] == 1
    assert pages.most <= AT_ONCE


def test_a_list_that_changes_while_it_is_read_is_read_anew():
    found, asked = calling(Pages(450, changes=1), things)
    assert len(found) == len(set(found)) == 451
    assert len(asked) == 6


def test_a_list_that_never_stands_still_is_an_error():
    error, _ = calling(Pages(450, changes=99), things)
    assert "changes faster than it can be read" in str(error)


def test_an_answer_that_is_not_as_described_is_an_error():
    error, _ = calling(lambda _: Says(200, {"other": []}), things)
    assert "the answer is not as described (KeyError: 'meta')" in str(error)
