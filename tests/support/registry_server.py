"""A registry in this process: one repository of the distribution specification, with the logins that real ones ask."""

import base64
import hashlib
import json
import re
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from blocks.registry.client import RegistryClient
from tests.support import PATIENCE

USER, PASSWORD = "me", "pass:word"
BASIC = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"


def sha(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Registry(ThreadingHTTPServer):
    """One repository's worth of the distribution specification, in memory. `login` is basic, bearer or none."""

    daemon_threads = True

    def __init__(self, login: str, name: str, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.login, self.asked, self.tokens = login, [], {}
        self.host, scheme = f"{name}:{self.server_port}", "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.manifests: dict[str, tuple[bytes, str]] = {}
        self.blobs: dict[str, bytes] = {}
        self.broken: dict[str, tuple[int, bytes]] = {}
        self.first = None
        self.token_service = f"{scheme}://{self.host}/token"

    def client(self, password: str = PASSWORD, authority: str = "") -> RegistryClient:
        return RegistryClient(self.host, USER, password, timeout=PATIENCE, authority=authority)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece, or each waits for the other side's delayed acknowledgement
    server: Registry

    def log_message(self, *_words) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path = urlsplit(self.path).path
        self.server.asked.append(f"{self.command} {path}")
        if path == "/token":
            return self._token()
        if not self._known():
            if self.server.first:
                self.server.first.wait(timeout=PATIENCE)
            return self._say(401, b"{}", **{"WWW-Authenticate": self._challenge(path)})
        if path in self.server.broken:
            return self._say(*self.server.broken[path])
        return self._serve(path, body)

    do_HEAD = do_PUT = do_POST = do_GET  # noqa: N815

    def _serve(self, path: str, body: bytes) -> None:
        server = self.server
        if path == "/v2/":
            return self._say(200, b"{}")
        kind, name = re.fullmatch(r"/v2/team/web/(manifests|blobs)/(.*)", path).groups()
        if self.command == "POST":
            return self._say(202, b"", Location=f"/v2/team/web/blobs/{name}upload?_state=a%2Bb")
        if self.command == "PUT" and kind == "manifests":
            server.manifests[name] = server.manifests[sha(body)] = (body, self.headers["Content-Type"])
            return self._say(201, b"")
        if self.command == "PUT":
            query = parse_qs(urlsplit(self.path).query)
            assert query["_state"] == ["a+b"]
            server.blobs[query["digest"][0]] = body
            return self._say(201, b"")
        if kind == "manifests" and name in server.manifests:
            content, media_type = server.manifests[name]
            return self._say(200, content, **{"Content-Type": media_type, "Docker-Content-Digest": sha(content)})
        if kind == "blobs" and name in server.blobs:
            return self._say(200, server.blobs[name])
        return self._say(404, b'{"errors": [{"message": "unknown"}]}')

    def _known(self) -> bool:
        given = self.headers.get("Authorization", "")
        if self.server.login == "basic":
            return given == BASIC
        return self.server.login == "none" or given in self.server.tokens

    def _challenge(self, path: str) -> str:
        if self.server.login == "basic":
            return 'Basic realm="lab"'
        return f'Bearer realm="{self.server.token_service}",service="lab"'

    def _token(self) -> None:
        if self.headers.get("Authorization") != BASIC:
            return self._say(401, b"{}")
        query = parse_qs(urlsplit(self.path).query)
        token = f"token-{len(self.server.tokens)}"
        self.server.tokens[f"Bearer {token}"] = query.get("scope", [""])[0]
        return self._say(200, json.dumps({"token": token}).encode())

    def _say(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def server_context(place: Path, key: str, certificate: str) -> ssl.SSLContext:
    """What a server needs to show this certificate; files for it are written to `place`."""
    for name, text in (("key", key), ("certificate", certificate)):
        (place / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(place / "certificate", place / "key")
    return context


@contextmanager
def serving(login: str, name: str = "127.0.0.1", tls: ssl.SSLContext | None = None):
    """Serve on a port of this machine, which `name` must mean; by https where there is a context."""
    with Registry(login, name, tls) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
