"""The registry's login: what is sent after which challenge, how often, and with which login."""

from base64 import b64encode
from types import SimpleNamespace

import httpx
import pytest

from blocks.errors import Unreachable
from blocks.registry.auth import RegistryAuth, RegistryCredentials

pytestmark = pytest.mark.unit
PULL = "repository:team/web:pull"
BEARER = 'Bearer realm="https://auth.lab/token",service="lab",scope="repository:team/web:pull,push"'


def basic(login: str) -> str:
    return f"Basic {b64encode(login.encode()).decode()}"


class Registry:
    """Accepts these values of `Authorization`, asks for others with a challenge, gives tokens for one login."""

    def __init__(self, challenge: str, accepts: tuple[str, ...] = (), login: str = "me:word", token: str = "t1"):
        self.challenge, self.accepts, self.login, self.token = challenge, accepts, login, token
        self.asked: list[tuple[str, str]] = []
        self.unreachable = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        given = request.headers.get("Authorization", "")
        self.asked.append((str(request.url), given))
        if request.url.path == "/token":
            if self.unreachable:
                raise httpx.ConnectError("refused", request=request)
            return httpx.Response(200 if given == basic(self.login) else 401, json={"token": self.token})
        return httpx.Response(200 if given in self.accepts else 401, headers={"WWW-Authenticate": self.challenge})


def asking(registry: Registry, login: str = "me:word", renewed: str = "", scope: str = PULL, times: int = 1):
    """The last status, the addresses and logins that were asked, how often another login was wanted."""
    renewals = []

    def renew():
        renewals.append(renewed)
        return tuple(renewed.split(":")) if renewed else None

    with httpx.Client(base_url="https://lab", transport=httpx.MockTransport(registry)) as http:
        user, _, password = login.partition(":")
        credentials = RegistryCredentials(http, user, password, renew)
        for _ in range(times):
            auth = RegistryAuth(credentials, scope)
            status = http.get("/v2/", auth=auth).status_code
    return SimpleNamespace(status=status, asked=registry.asked, renewals=len(renewals), renewed=auth.renewed)


def test_a_basic_challenge_is_met_once_and_then_the_login_is_sent_at_once():
    found = asking(Registry('Basic realm="lab"', (basic("me:word"),)), times=2)
    assert found.status == 200
    assert [given for _, given in found.asked] == ["", basic("me:word"), basic("me:word")]


@pytest.mark.parametrize("challenge", [BEARER, BEARER.replace("https://auth.lab", ""), BEARER.replace("B", "b", 1)])
def test_a_bearer_challenge_is_met_with_a_token_for_the_scope_of_the_request(challenge):
    found = asking(Registry(challenge, ("Bearer t1",)), times=2)
    assert found.status == 200
    assert [given for _, given in found.asked] == ["", basic("me:word"), "Bearer t1", "Bearer t1"]
    url = httpx.URL(found.asked[1][0])
    assert (url.path, dict(url.params)) == ("/token", {"service": "lab", "scope": PULL})


def test_without_a_scope_of_its_own_a_request_takes_that_of_the_challenge():
    found = asking(Registry(BEARER, ("Bearer t1",)), scope="")
    assert httpx.URL(found.asked[1][0]).params["scope"] == "repository:team/web:pull,push"


def test_a_registry_for_everybody_gives_tokens_without_a_login():
    found = asking(Registry(BEARER, ("Bearer t1",), login=""), login=":")
    assert [given for _, given in found.asked][:2] == ["", ""]


@pytest.mark.parametrize(
    ("challenge", "asked"),
    [('Basic realm="lab"', 2), (BEARER, 3), ("", 1), ("Negotiate", 1), ("Bearer error=invalid", 1)],
    ids=["basic", "bearer", "none", "another kind", "no realm"],
)
def test_what_was_refused_is_not_sent_a_second_time(challenge, asked):
    found = asking(Registry(challenge))
    assert (found.status, len(found.asked), found.renewals, found.renewed) == (401, asked, 1, False)


@pytest.mark.parametrize(
    ("challenge", "asked"), [('Basic realm="lab"', ["Basic"]), (BEARER, ["Bearer", "Basic"])], ids=["basic", "bearer"]
)
def test_a_known_login_that_was_refused_is_not_sent_again(challenge, asked):
    registry = Registry(challenge)
    asking(registry)
    before = len(registry.asked)
    asking(registry, times=2)
    assert [given.partition(" ")[0] for _, given in registry.asked[2 * before :]] == asked


@pytest.mark.parametrize("challenge", ['Basic realm="lab"', BEARER], ids=["basic", "bearer"])
def test_a_login_that_expired_is_renewed_once(challenge):
    registry = Registry(challenge, (basic("new:word"), "Bearer t1"), login="new:word")
    found = asking(registry, login="old:word", renewed="new:word", times=2)
    assert (found.status, found.renewals, found.renewed) == (200, 1, False)
    assert registry.asked[-1][1] in registry.accepts


def test_a_renewed_login_that_is_refused_too_is_not_renewed_again():
    found = asking(Registry(BEARER, login="nobody:x"), login="old:word", renewed="new:word")
    assert (found.status, found.renewals, found.renewed) == (401, 1, True)


def test_no_token_of_a_login_that_expired_is_sent_any_more():
    registry = Registry(BEARER, ("Bearer t1",), login="old:word")
    with httpx.Client(base_url="https://lab", transport=httpx.MockTransport(registry)) as http:
        credentials = RegistryCredentials(http, "old", "word", lambda: ("new", "word"))
        http.get("/v2/", auth=RegistryAuth(credentials, PULL))
        registry.accepts, registry.login, registry.token = ("Bearer t2",), "new:word", "t2"
        http.get("/v2/", auth=RegistryAuth(credentials, f"{PULL},push"))
        registry.asked.clear()
        http.get("/v2/", auth=RegistryAuth(credentials, PULL))
    assert [given for _, given in registry.asked] == ["", basic("new:word"), "Bearer t2"]


def test_a_token_service_that_is_away_is_named():
    registry = Registry(BEARER)
    registry.unreachable = True
    with pytest.raises(Unreachable, match="registry lab: its token service cannot be reached: refused"):
        asking(registry)
