"""Where a registry's answers may lead our requests, and with which login: a registry is not believed in this."""

import httpx
import pytest

from blocks.errors import LoginRefused, NotEncrypted, RegistryFailed
from blocks.http import bounded
from blocks.registry.client import RegistryClient
from tests.support.registry_server import sha

pytestmark = pytest.mark.unit
CONTENT = b"content"
CHALLENGE = 'Bearer realm="{}",service="lab"'


@pytest.fixture
def asked(monkeypatch):
    """A registry that answers as `answers` says, by host and path; every request that was sent stands in the list."""

    class Asked(list):
        def __call__(self, request):
            self.append((request.method, str(request.url), request.headers.get("Authorization", "")))
            answer = self.answers.get((request.method, request.url.path)) or self.answers.get(request.url.path)
            return httpx.Response(answer[0], headers=answer[1], content=answer[2] if len(answer) > 2 else b"")

    asked = Asked()
    asked.answers = {}
    monkeypatch.setattr(bounded, "tcp_transport", lambda *_: httpx.MockTransport(asked))
    return asked


def hosts(asked):
    return [httpx.URL(url).host for _, url, _ in asked]


def client(host="registry.example.com"):
    return RegistryClient(host, "me", "word")


@pytest.mark.parametrize("host", ["localhost.evil.example", "127.evil.example:5000", "registry.example.com"])
def test_only_this_machine_is_spoken_to_by_http(asked, host):
    asked.answers = {"/v2/": (200, {})}
    client(host).check()
    client("127.0.0.1:5000").check()
    assert [httpx.URL(url).scheme for _, url, _ in asked] == ["https", "http"]


@pytest.mark.parametrize("realm", ["http://auth.example.com/token", "http://127.0.0.1:9/token", "http://[::1]/token"])
def test_a_login_is_sent_to_no_token_service_by_http(asked, realm):
    asked.answers = {"/v2/": (401, {"WWW-Authenticate": CHALLENGE.format(realm)})}
    with pytest.raises(NotEncrypted, match=r"registry registry\.example\.com leads to http://"):
        client().check()
    assert hosts(asked) == ["registry.example.com"]


def test_a_registry_on_this_machine_may_have_its_token_service_here_and_nowhere_else_by_http(asked):
    asked.answers = {
        "/v2/": (401, {"WWW-Authenticate": CHALLENGE.format("http://localhost:9/token")}),
        "/token": (401, {}),
    }
    with pytest.raises(LoginRefused):
        client("127.0.0.1:5000").check()
    assert "localhost" in hosts(asked)
    asked.answers["/v2/"] = (401, {"WWW-Authenticate": CHALLENGE.format("http://auth.example.com/token")})
    with pytest.raises(NotEncrypted):
        client("127.0.0.1:5000").check()
    assert "auth.example.com" not in hosts(asked)


def push(asked, location):
    asked.answers |= {
        ("HEAD", f"/v2/team/web/blobs/{sha(CONTENT)}"): (404, {}),
        "/v2/team/web/blobs/uploads/": (202, {"Location": location} if location else {}),
        "/upload": (201, {}),
    }
    with client() as registry:
        registry._credentials._basic = True
        registry.push_blob("team/web", sha(CONTENT), CONTENT)
    return asked[-1]


@pytest.mark.parametrize(
    "location", ["/upload?a=b", "https://registry.example.com/upload?a=b", "http://registry.example.com/upload?a=b"]
)
def test_an_upload_to_the_registry_itself_is_signed_and_encrypted(asked, location):
    method, url, login = push(asked, location)
    assert (method, httpx.URL(url).scheme, httpx.URL(url).host) == ("PUT", "https", "registry.example.com")
    assert dict(httpx.URL(url).params) == {"a": "b", "digest": sha(CONTENT)}
    assert login.startswith("Basic ")


@pytest.mark.parametrize("place", ["https://store.example.com/upload", "https://registry.example.com:8443/upload"])
def test_an_upload_to_another_server_goes_without_our_login(asked, place):
    assert push(asked, place) == ("PUT", f"{place}?digest=sha256%3A{sha(CONTENT)[7:]}", "")


def test_nothing_is_uploaded_to_another_server_by_http(asked):
    with pytest.raises(NotEncrypted):
        push(asked, "http://store.example.com/upload")
    assert set(hosts(asked)) == {"registry.example.com"}


def test_a_registry_that_does_not_say_where_an_upload_goes_is_an_error(asked):
    with pytest.raises(RegistryFailed, match="does not say where to"):
        push(asked, None)


def test_what_a_redirect_leads_to_cannot_ask_for_our_login(asked):
    asked.answers = {
        f"/v2/team/web/blobs/{sha(CONTENT)}": (307, {"Location": "https://evil.example/blob"}),
        "/blob": (401, {"WWW-Authenticate": CHALLENGE.format("https://evil.example/token")}),
        "/token": (200, {}, b'{"token": "t"}'),
    }
    registry = client()
    registry._credentials._basic = True
    with pytest.raises(LoginRefused):
        registry.blob("team/web", sha(CONTENT))
    assert [login for _, url, login in asked if "evil.example" in url] == [""]


def test_a_redirect_is_not_followed_by_http(asked):
    asked.answers = {f"/v2/team/web/blobs/{sha(CONTENT)}": (307, {"Location": "http://store.example.com/blob"})}
    with client() as registry, pytest.raises(NotEncrypted):
        registry.blob("team/web", sha(CONTENT))
    assert hosts(asked) == ["registry.example.com"]


@pytest.mark.parametrize("said", ["", "sha256:abc", "latest", "sha256:" + "A" * 64, "sha512:" + "a" * 128, "../../x"])
def test_a_digest_that_has_not_its_form_is_reckoned_from_the_manifest(asked, said):
    asked.answers = {"/v2/team/web/manifests/v1": (200, {"Docker-Content-Digest": said}, b"{}")}
    with client() as registry:
        assert registry.digest("team/web", "v1") == sha(b"{}")
