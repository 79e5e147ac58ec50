"""The authentication of a container registry: basic, or a bearer token for each scope, as the registry asks for it.

Source: RFC 7617, RFC 6750, and the token authentication of the distribution project.
"""

import re
from collections.abc import Callable, Generator

import httpx

from blocks.http.content import read_json
from blocks.registry.addresses import same_place
from blocks.registry.answers import unreachable


class RegistryCredentials:
    """A user's login at one registry, and the tokens given for it. Safe to use from several threads.

    Args:
        http: the client by which token services are asked.
        renew: another login after one that was refused; None where there is no other.
    """

    def __init__(
        self, http: httpx.Client, username: str, password: str, renew: Callable[[], tuple[str, str] | None]
    ) -> None:
        self.username = username
        self._password = password
        self._http = http
        self._renew = renew
        self._basic = False
        self._tokens: dict[str, str] = {}

    def sign(self, request: httpx.Request, scope: str) -> bool:
        """Set `Authorization` as far as it is known for a scope. Returns whether it is another than the request had."""
        before: str | None = request.headers.get("Authorization")
        if token := self._tokens.get(scope):
            request.headers["Authorization"] = f"Bearer {token}"
        elif self._basic and (basic := self._basic_auth()):
            next(basic.auth_flow(request))
        return bool(request.headers.get("Authorization") != before)

    def answer_challenge(self, challenge: str, scope: str) -> bool:
        """Prepare the login that a `WWW-Authenticate` header asks for; False when there is none.

        Raises:
            Unreachable, CertificateRefused: the token service.
        """
        kind, _, parameters = challenge.partition(" ")
        if kind.lower() == "basic":
            self._basic = True
            return True
        asked: dict[str, str] = dict(re.findall(r'(\w{1,50})="([^"]*)"', parameters))
        if kind.lower() != "bearer" or not asked.get("realm"):
            return False
        query = {key: value for key, value in {**asked, "scope": scope or asked.get("scope")}.items() if value}
        token = self._fetch_token(query.pop("realm"), query)
        if token:
            self._tokens[scope] = token
        return bool(token)

    def renew(self) -> bool:
        """Replace a login that was refused, where there is another one: it was good once, and has expired."""
        login = self._renew()
        if login:
            (self.username, self._password), self._tokens = login, {}
        return bool(login)

    def _basic_auth(self) -> httpx.BasicAuth | None:
        return httpx.BasicAuth(self.username, self._password) if self.username else None

    def _fetch_token(self, realm: str, query: dict[str, str]) -> str:
        try:
            answer = self._http.get(realm, params=query, auth=self._basic_auth())
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            host = self._http.base_url.netloc.decode()
            raise unreachable(error, host, self._http.base_url, "token service") from None
        try:
            found = read_json(answer.content) if answer.status_code == httpx.codes.OK else {}
            token = str(found.get("token") or found.get("access_token") or "")
        except (ValueError, AttributeError):
            return ""
        return token if token.isascii() and token.isprintable() else ""  # else it is none that a header can carry


class RegistryAuth(httpx.Auth):
    """The authentication of one request.

    A refused request is sent once more as the challenge asks, and a last time when the login could be renewed.

    Args:
        scope: what the request is for, as `repository:NAME:pull`; '': the scope that the challenge names.
    """

    def __init__(self, credentials: RegistryCredentials, scope: str) -> None:
        self._credentials = credentials
        self._scope = scope
        self.renewed = False

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self._credentials.sign(request, self._scope)
        answer = yield request
        if self._refused(answer) and self._signed_anew(answer, request):
            answer = yield request
        if self._refused(answer) and self._credentials.renew():
            self.renewed = True
            if self._signed_anew(answer, request):
                yield request

    def _refused(self, answer: httpx.Response) -> bool:
        return answer.status_code == httpx.codes.UNAUTHORIZED

    def _signed_anew(self, answer: httpx.Response, request: httpx.Request) -> bool:
        if not same_place(answer.url, request.url):
            return False  # it was redirected, and who asks there is not the registry
        challenge = answer.headers.get("WWW-Authenticate", "")
        return self._credentials.answer_challenge(challenge, self._scope) and self._credentials.sign(
            request, self._scope
        )
