"""Serves the address that Alertmanager's webhook posts to, and hands what it says to Prefect as events."""

import hmac
import json
import os
import stat
from collections import OrderedDict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import ClassVar
from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.events import Event
from prefect.exceptions import PrefectException
from prefect.logging import get_logger

from flows.core.control.alerts import LARGEST_BODY, AlertEvent, read_alerts
from flows.core.control.events import LONGEST, EventPayload, event_resource, related_resources
from flows.core.errors import BadAlert, BadToken
from flows.tasks.runs.log_masking import masked_line, register_secrets

PLACE = "/alerts"
_REMEMBERED = 10_000
_SHORTEST = 16
_DIGITS = 10


class AlertReceiver(ThreadingHTTPServer):
    """The server: on this machine alone, for whoever has the token.

    Args:
        port: 0 takes one that is free.
        stack: the stack of an alert that has no label `stack`.
    """

    daemon_threads = True

    def __init__(self, port: int, token: str, stack: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.token, self.stack = token, stack
        self._seen: OrderedDict[UUID, None] = OrderedDict()
        self._lock = Lock()

    def take(self, body: bytes) -> int:
        """Hand on what a body says and was not handed on before; returns how many events that were.

        Alertmanager says again and again what still fires, and posts once more what was not answered well.

        Raises:
            BadAlert: it is none of Alertmanager's.
            httpx.HTTPError, PrefectException: the Prefect server does not take them.
        """
        with self._lock:
            new = {event.id: event for event in read_alerts(body, self.stack) if event.id not in self._seen}
            if new:
                _send(list(new.values()))
            self._seen.update(dict.fromkeys(new))
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return len(new)


class _Handler(BaseHTTPRequestHandler):
    server: AlertReceiver
    timeout: ClassVar[float] = 10.0  # seconds for each piece of a request
    server_version, sys_version = "slipway", ""

    def do_POST(self) -> None:
        """Take one body of the webhook."""
        self._answer(*(self._refusal() or self._taken()))

    def _refusal(self) -> tuple[HTTPStatus, str] | None:
        length, given = self.headers.get("Content-Length", ""), self.headers.get("Authorization", "")
        if self.path != PLACE:
            return HTTPStatus.NOT_FOUND, f"post to {PLACE}"
        if not hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            return HTTPStatus.UNAUTHORIZED, "the token is not that of this receiver"
        if not (length.isascii() and length.isdigit() and len(length) < _DIGITS):
            return HTTPStatus.LENGTH_REQUIRED, "say how long the body is"
        if int(length) > LARGEST_BODY:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_BODY} bytes"
        return None

    def _taken(self) -> tuple[HTTPStatus, str]:
        try:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            return HTTPStatus.OK, f"{self.server.take(body)} events"
        except BadAlert as error:
            return HTTPStatus.BAD_REQUEST, str(error)
        except (httpx.HTTPError, PrefectException) as error:
            # Alertmanager tries again after a 5xx.
            return HTTPStatus.SERVICE_UNAVAILABLE, f"Prefect takes no event now: {type(error).__name__}"

    def log_message(self, format: str, *args: object) -> None:
        """One line in our own log instead of the standard error."""
        get_logger("slipway.alerts").info("%s", masked_line(format % args, LONGEST))

    def _answer(self, status: HTTPStatus, words: str) -> None:
        body = json.dumps({"said": words}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True


def read_token(file: Path) -> str:
    """The token, from a file that its owner alone can read.

    Raises:
        BadToken
    """
    make = f"Make one: (umask 077; openssl rand -hex 24 > {file})"
    try:
        with file.open("rb") as opened:
            mode, token = os.fstat(opened.fileno()).st_mode, opened.read(1024).decode("ascii").strip()
    except (OSError, ValueError) as error:
        raise BadToken(f"the token cannot be read from {file}: {type(error).__name__}. {make}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise BadToken(f"{file} can be read by others than its owner: chmod 600 {file}")
    if len(token) < _SHORTEST:
        raise BadToken(f"the token in {file} is shorter than {_SHORTEST} characters. {make}")
    register_secrets([token])
    return token


def _send(found: list[AlertEvent]) -> None:
    events = []
    for one in found:
        said = {
            name: masked_line(value, LONGEST) if isinstance(value, str) else value
            for name, value in one.payload.model_dump().items()
        }
        payload = EventPayload(**said)
        event = Event(
            id=one.id, event=one.kind.name, resource=event_resource(payload),
            related=related_resources(payload), payload=payload.model_dump(),
        )  # fmt: skip
        events.append(event.model_dump(mode="json"))
    with get_client(sync_client=True) as client:
        client.request("POST", "/events", json=events)
