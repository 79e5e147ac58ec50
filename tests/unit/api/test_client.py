"""The client of Prefect's API: its login, its patience with a busy server, and what it makes of answers."""

import pytest

from blocks.errors import LoginRefused, NotEncrypted, PrefectFailed, Unreachable
from flows.api.blocks import read_block
from flows.api.client import PrefectApi
from flows.api.connection import LOCAL_API, ApiConnection, find_connection
from flows.core.errors import BadSettings
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit

PROFILES = """\
active = "team"
[profiles.team]
PREFECT_API_URL = "https://prefect.example.com/api/"
PREFECT_API_AUTH_STRING = "me:secret"
[profiles.other]
PREFECT_API_KEY = "pnu_1"
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "profiles.toml").write_text(PROFILES)
    return {"PREFECT_HOME": str(tmp_path)}


def test_a_connection_comes_from_the_active_profile(home):
    assert find_connection(home) == ApiConnection("https://prefect.example.com/api", "me:secret")


def test_a_profile_that_is_named_is_taken_and_variables_win(home):
    given = {**home, "PREFECT_PROFILE": "other", "PREFECT_API_URL": "http://127.0.0.1:1/api"}
    assert find_connection(given) == ApiConnection("http://127.0.0.1:1/api", key="pnu_1")


@pytest.mark.parametrize("text", ["", 'active = "no"', "active = 1\nprofiles = 2", None])
def test_without_a_profile_it_is_the_server_of_this_machine(tmp_path, text):
    if text is not None:
        (tmp_path / "profiles.toml").write_text(text)
    assert find_connection({"PREFECT_HOME": str(tmp_path)}) == ApiConnection(LOCAL_API)


def test_profiles_that_cannot_be_read_are_refused_by_name(tmp_path):
    (tmp_path / "profiles.toml").write_text("active = [")
    with pytest.raises(BadSettings, match=r"profiles\.toml"):
        find_connection({"PREFECT_HOME": str(tmp_path)})


def test_a_login_is_shown_by_nothing(home):
    assert "secret" not in repr(find_connection(home))


@pytest.mark.parametrize("connection", [{"auth_string": "a:b"}, {"key": "k"}])
def test_a_login_goes_to_no_other_machine_by_http(connection):
    with pytest.raises(NotEncrypted):
        PrefectApi(ApiConnection("http://prefect.example.com/api", **connection))


class Server:
    """Says what it was given, one answer after the other, the last one for ever."""

    def __init__(self, *answers: Says) -> None:
        self.answers, self.pauses = list(answers), []

    def __call__(self, _asked):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def ask(self, url: str, what=lambda api: api.get("/x", a=1), **login: str):
        with PrefectApi(ApiConnection(f"{url}/api", **login), pause=self.pauses.append) as api:
            return what(api)


@pytest.mark.parametrize(
    ("login", "sent"), [({"auth_string": "me:it"}, "Basic bWU6aXQ="), ({"key": "k"}, "Bearer k"), ({}, None)]
)
def test_a_question_carries_the_login_and_its_parameters(login, sent):
    server = Server(Says(200, {"found": 1}))
    with serving(server) as there:
        assert server.ask(there.url, **login) == {"found": 1}
        assert (there.asked[0].path, there.asked[0].query) == ("/api/x", {"a": ["1"]})
        assert there.asked[0].headers.get("authorization") == sent


def test_a_busy_server_is_asked_again_and_a_limit_is_waited_for_as_it_says():
    busy, limit = Says(503, b"database is locked"), Says(429, b"", {"Retry-After": "7"})
    server = Server(busy, limit, Says(429, b"", {"Retry-After": "soon"}), Says(200, {"done": True}))
    with serving(server) as there:
        assert server.ask(there.url, lambda api: api.post("/y", {"b": 2})) == {"done": True}
        assert [asked.json() for asked in there.asked] == [{"b": 2}] * 4
    assert server.pauses == [0.2, 7.0, 1.0]


def test_a_server_that_goes_on_being_busy_is_given_up_on():
    server = Server(Says(503, b"database is locked"))
    with serving(server) as there, pytest.raises(PrefectFailed, match="503: database is locked"):
        server.ask(there.url)
    assert len(server.pauses) == 5


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Says(401, b"no"), LoginRefused, "PREFECT_API_AUTH_STRING"),
        (Says(409, b'{"detail": "bad parameter"}'), PrefectFailed, "409: .*bad parameter"),
        (Says(200, b"<html>"), PrefectFailed, "is not Prefect's API"),
        (Says(200, b"[" * 100_000), PrefectFailed, "is not Prefect's API"),
        (Says(302, b"", {"Location": "http://elsewhere.example.com"}), PrefectFailed, "302"),
    ],
)
def test_what_is_no_answer_is_an_error_that_says_so(answer, error, words):
    server = Server(answer)
    with serving(server) as there, pytest.raises(error, match=words):
        server.ask(there.url)
    assert not server.pauses


def test_what_is_not_there_is_nothing():
    server = Server(Says(404, b'{"detail": "Block document not found"}'))
    with serving(server) as there:
        assert server.ask(there.url) is None
        assert server.ask(there.url, lambda api: read_block(api, "slipway-droplet", "green")) is None


def test_nobody_at_the_address_is_told_with_what_to_do():
    server = Server(Says())
    with serving(server) as there:
        url = there.url
    with pytest.raises(Unreachable, match="PREFECT_API_URL"):
        server.ask(url)
    assert len(server.pauses) == 5


def test_a_block_is_its_fields_and_its_name_is_no_path():
    server = Server(Says(200, {"data": {"host": "10.0.0.4"}}))
    with serving(server) as there:
        assert server.ask(there.url, lambda api: read_block(api, "slipway-droplet", "a/../b")) == {"host": "10.0.0.4"}
        assert there.asked[0].query == {"include_secrets": ["True"]} or there.asked[0].query == {
            "include_secrets": ["true"]
        }
        assert there.asked[0].path == "/api/block_types/slug/slipway-droplet/block_documents/name/a%2F..%2Fb"


@pytest.mark.parametrize("content", [[], {"data": 1}, {}])
def test_what_is_no_block_is_refused(content):
    server = Server(Says(200, content))
    with serving(server) as there, pytest.raises(PrefectFailed):
        server.ask(there.url, lambda api: read_block(api, "slipway-droplet", "green"))
