"""The registry client, against a small registry that asks for a login as real ones do."""

import gzip
import io
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from blocks.errors import LoginRefused, NotInRegistry, RegistryFailed, Unreachable
from blocks.registry.client import MANIFEST, RegistryClient
from tests.support import PATIENCE
from tests.support.registry_server import PASSWORD, USER, Handler, serving, sha

pytestmark = pytest.mark.unit


@pytest.fixture(params=["basic", "bearer"])
def registry(request):
    with serving(request.param) as server:
        yield server


LAYER = gzip.compress(b"tar", mtime=0)


def push(client: RegistryClient, tag: str = "v1") -> str:
    return client.push_files("team/web", tag, LAYER, sha(b"tar"), {"dev.slipway.release": tag})


def test_files_are_pushed_and_read_back(registry):
    with registry.client() as client:
        digest = push(client)
        manifest = client.manifest("team/web", "v1")
        layer = manifest.content["layers"][0]
        assert client.digest("team/web", "v1") == manifest.digest == digest
        assert client.blob("team/web", layer["digest"]) == LAYER
        assert layer["size"] == len(LAYER)
    config = json.loads(registry.blobs[manifest.content["config"]["digest"]])
    assert config["rootfs"]["diff_ids"] == [sha(b"tar")]
    assert config["config"]["Labels"] == {"dev.slipway.release": "v1"}


def test_a_blob_is_downloaded_into_a_file_and_what_is_not_there_is_told(registry):
    with registry.client() as client:
        push(client)
        client.download("team/web", sha(LAYER), into := io.BytesIO())
        with pytest.raises(NotInRegistry):
            client.download("team/web", f"sha256:{'0' * 64}", io.BytesIO())
    assert into.getvalue() == LAYER


def test_the_same_files_are_the_same_digest_and_no_blob_is_sent_twice(registry):
    with registry.client() as client:
        assert push(client) == push(client)
    assert len([line for line in registry.asked if line.startswith("PUT /v2/team/web/blobs")]) == 2


def test_another_tag_is_the_same_manifest(registry):
    with registry.client() as client:
        digest = push(client)
        client.tag("team/web", client.manifest("team/web", digest), "latest")
        assert client.digest("team/web", "latest") == digest
    assert registry.manifests["latest"][1] == MANIFEST


def test_one_login_serves_all_that_follows(registry):
    with registry.client() as client:
        push(client)
        registry.asked.clear()
        client.manifest("team/web", "v1")
        client.manifest("team/web", "v1")
        client.digest("team/web", "v1")
    assert len(registry.asked) <= 5


def test_a_token_is_asked_for_by_what_it_is_for():
    with serving("bearer") as server, server.client() as client:
        client.check()
        push(client)
        client.manifest("team/web", "v1")
    assert list(server.tokens.values()) == ["", "repository:team/web:pull,push", "repository:team/web:pull"]


def test_first_logins_may_come_at_once(registry):
    with registry.client() as client:
        push(client)
    registry.first = threading.Barrier(8)
    with registry.client() as client, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client.digest("team/web", "v1"), range(8)))
    assert len(set(found)) == 1


def test_an_expired_token_is_renewed():
    with serving("bearer") as server, server.client() as client:
        digest = push(client)
        server.tokens = {f"gone {number}": "" for number in range(9)}
        assert client.digest("team/web", "v1") == digest


@contextmanager
def expired(fresh):
    """A client whose login is not good any more, and how often another one was asked for."""
    asked = []

    def renew():
        asked.append(1)
        return USER, fresh

    with serving("bearer") as server, RegistryClient(server.host, USER, "old word", renew=renew) as client:
        yield client, asked


def test_a_login_that_expired_is_renewed():
    with expired(PASSWORD) as (client, asked):
        digest = push(client)
        assert client.digest("team/web", "v1") == digest
    assert asked == [1]


def test_a_renewed_login_that_is_refused_too_is_told_so():
    with expired("new word") as (client, asked):
        with pytest.raises(LoginRefused, match=r"The login had expired, and a new one is refused too\.") as error:
            client.check()
        assert "word" not in str(error.value).replace("password", "")
    assert asked == [1]


def test_a_wrong_password_is_refused_and_not_shown(registry):
    with registry.client("wrong secret") as client:
        for _ in range(2):
            with pytest.raises(
                LoginRefused, match=f"registry {registry.host} refuses user 'me' .401 for login."
            ) as error:
                client.check()
    assert "wrong secret" not in str(error.value)


def test_a_registry_that_wants_a_login_refuses_nobody():
    refused = pytest.raises(LoginRefused, match="refuses user ''")
    with serving("basic") as server, RegistryClient(server.host) as client, refused:
        client.check()


def test_what_is_not_there_is_named(registry):
    with registry.client() as client:
        with pytest.raises(NotInRegistry, match=r"has no team/web/manifests/v9"):
            client.digest("team/web", "v9")
        with pytest.raises(NotInRegistry, match=r"has no team/web/blobs/sha256:0"):
            client.blob("team/web", "sha256:0")


DIGEST = sha(b"{}")
BROKEN = {
    "an error": ("manifests/v1", 500, b'{"errors": [{"message": "no disk"}]}', "500 no disk"),
    "an error without words": ("manifests/v1", 502, b"<html>", "502 Bad Gateway"),
    "a manifest that is no JSON": ("manifests/v1", 200, b"<html>", "manifests/v1 is no manifest"),
    "a manifest that is no mapping": ("manifests/v1", 200, b"[]", "manifests/v1 is no manifest"),
    "a manifest of another digest": (f"manifests/{DIGEST}", 200, b'{"a": 1}', "arrived damaged"),
}


@pytest.mark.parametrize(("place", "status", "content", "words"), BROKEN.values(), ids=BROKEN)
def test_an_answer_that_cannot_be_used_is_an_error_of_the_registry(registry, place, status, content, words):
    registry.broken[f"/v2/team/web/{place}"] = (status, content)
    with registry.client() as client, pytest.raises(RegistryFailed, match=re.escape(words)):
        client.manifest("team/web", place.removeprefix("manifests/"))


def test_a_damaged_blob_is_not_taken(registry):
    registry.blobs[DIGEST] = b"other"
    with registry.client() as client, pytest.raises(RegistryFailed, match=f"team/web@{DIGEST} arrived damaged"):
        client.blob("team/web", DIGEST)


def test_a_registry_that_does_not_say_a_digest_is_asked_for_the_manifest(registry):
    content = b'{"schemaVersion": 2}'
    registry.broken["/v2/team/web/manifests/v1"] = (200, content)
    with registry.client() as client:
        assert client.digest("team/web", "v1") == sha(content)


@pytest.mark.parametrize("answer", [(200, b"<html>"), (200, b"[]"), (500, b"")])
def test_a_token_service_that_answers_nonsense_is_a_refusal(answer):
    with serving("bearer") as server:
        server.RequestHandlerClass = type("Nonsense", (Handler,), {"_token": lambda self: self._say(*answer)})
        with server.client() as client, pytest.raises(LoginRefused):
            client.check()


def test_a_registry_that_is_not_there_is_unreachable():
    with serving("none") as server:
        host = server.host
    with (
        RegistryClient(host, timeout=PATIENCE) as client,
        pytest.raises(Unreachable, match=f"registry {host} cannot be reached"),
    ):
        client.check()


def test_a_registry_is_reached_through_the_proxy_that_the_environment_names(monkeypatch):
    with serving("none") as proxy:
        asked = proxy.asked
        handler = {"do_CONNECT": lambda self: (asked.append(self.path), self._say(502, b""))}
        proxy.RequestHandlerClass = type("Proxy", (Handler,), handler)
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.host}")
        for name in ("https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        with RegistryClient("registry.invalid", timeout=PATIENCE) as client, pytest.raises(Unreachable):
            client.check()
    assert asked[0] == "registry.invalid:443"


def test_a_registry_on_this_machine_is_reached_without_a_proxy(registry, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with registry.client() as client:
        client.check()
    assert registry.asked[-1] == "GET /v2/"
