"""Requests and answers against DigitalOcean's official API description.

`python -m tests.support.lab.api_contract` checks what was exchanged with the lab's stand-in so far.

The description is not a part of this project: SLIPWAY_SPECS says where `digitalocean-openapi.slim.json` is.
"""

import functools
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests import CHECKOUT

SPEC = Path(os.environ.get("SLIPWAY_SPECS") or CHECKOUT.parent / "shared" / "specs") / "digitalocean-openapi.slim.json"
ABSENT = f"the official description is not at {SPEC}; set SLIPWAY_SPECS to its directory"
HOST = "https://api.digitalocean.com"


@dataclass
class Checked:
    """How often each operation was checked, and what was found."""

    requests: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The whole in one sentence."""
        total = f"{sum(self.requests.values())} requests and {sum(self.answers.values())} answers"
        return f"{total} of {len(self.requests)} operations checked, {len(self.violations)} violations."

    def markdown(self) -> str:
        """The report."""
        every = sorted({*self.requests, *self.answers})
        rows = [f"| `{name}` | {self.requests[name]} | {self.answers[name]} |" for name in every]
        head = [self.sentence, ""]
        table = ["| operation | requests | answers |", "| --- | --- | --- |", *rows, ""]
        found = [f"- {violation}" for violation in self.violations]
        return "\n".join(["# DigitalOcean's API as described", "", *head, *table, *found, ""])


def exchanged(since: int) -> list[dict[str, Any]]:
    """Everything that was exchanged with the lab's stand-in since that number; nothing where it does not run."""
    credentials = Path(os.environ.get("SLIPWAY_STATE") or CHECKOUT / ".slipway") / "lab/credentials.json"
    port = os.environ.get("SLIPWAY_LAB_DIGITALOCEAN_PORT") or 8090
    try:
        login = {"Authorization": f"Bearer {json.loads(credentials.read_text())['digitalocean_token']}"}
        answer = httpx.get(
            f"http://127.0.0.1:{port}/_lab/exchanges", params={"since": since}, headers=login, timeout=60,
            trust_env=False,
        )  # fmt: skip
        found: list[dict[str, Any]] = answer.raise_for_status().json()["exchanges"]
    except (OSError, ValueError, KeyError, httpx.HTTPError):
        return []
    return found


def write(checked: Checked) -> None:
    """Keep the report, beside the others."""
    report = Path(os.environ.get("SLIPWAY_REPORTS") or "reports") / "digitalocean-contract.md"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(checked.markdown())


@functools.cache
def description() -> Any:
    """The description, ready to check with."""
    from openapi_core import Config, OpenAPI  # noqa: PLC0415

    return OpenAPI.from_dict(json.loads(SPEC.read_text()), config=Config(spec_validator_cls=None))


def check(exchanges: Iterable[dict[str, Any]], checked: Checked | None = None) -> Checked:
    """Check each request and each answer; those of the lab's own control are left out.

    A request that was meant to be refused (its answer is 4xx) need not be as described. What a test broke on purpose
    is no answer.
    """
    checked = checked or Checked()
    seen: dict[str, tuple[str, list[str]]] = {}
    for exchange in exchanges:
        if not exchange["path"].startswith("/v2/"):
            continue
        key = json.dumps({**exchange, "n": 0, "headers": sorted(exchange["headers"])}, sort_keys=True)
        if key not in seen:
            seen[key] = _check(exchange)
        operation, found = seen[key]
        checked.requests[operation] += 1
        checked.answers[operation] += not exchange.get("lost")
        checked.violations += [f"{operation}: {violation}" for violation in found]
    return checked


def _check(exchange: dict[str, Any]) -> tuple[str, list[str]]:
    """(operation, violations)."""
    asked, found = Asked(exchange), []
    operation = _operation(asked)
    if operation is None:
        return f"{exchange['method']} {exchange['path']}", ["the description does not have it"]
    if exchange["status"] not in (400, 401, 403, 404, 409, 422):
        found += _trouble("request", lambda: description().validate_request(asked))
    if not exchange.get("lost"):
        found += _trouble("answer", lambda: description().validate_response(asked, Answered(exchange)))
    return operation, found


def _operation(asked: "Asked") -> str | None:
    from openapi_core.templating.paths.exceptions import PathError  # noqa: PLC0415
    from openapi_core.templating.paths.finders import APICallPathFinder  # noqa: PLC0415

    try:
        found = APICallPathFinder(description().spec).find(asked.method, f"{HOST}{asked.path}")
    except PathError:
        return None
    return str(found.operation["operationId"])


def _trouble(what: str, validate: Any) -> list[str]:
    from openapi_core.exceptions import OpenAPIError  # noqa: PLC0415

    try:
        validate()
    except OpenAPIError as error:
        why = [str(e.message) for e in getattr(error.__cause__, "schema_errors", ())] or [str(error.__cause__ or error)]
        return [f"{what}: {error}: {'; '.join(why)[:300]}"]
    return []


class Asked:
    """A request as openapi-core wants to see it. The token was checked by who answered; it is not recorded."""

    def __init__(self, exchange: dict[str, Any]) -> None:
        from openapi_core.datatypes import RequestParameters  # noqa: PLC0415
        from werkzeug.datastructures import Headers, ImmutableMultiDict  # noqa: PLC0415

        self.method, self.path, self.host_url = exchange["method"].lower(), exchange["path"], HOST
        headers = Headers({"authorization": "Bearer not-recorded"})
        self.parameters = RequestParameters(query=ImmutableMultiDict(exchange["query"]), header=headers)
        body = exchange["request_body"]
        self.body = None if body is None else json.dumps(body).encode()
        self.content_type = exchange.get("content_type") or "application/json"


class Answered:
    """A response as openapi-core wants to see it."""

    def __init__(self, exchange: dict[str, Any]) -> None:
        self.status_code, self.headers = exchange["status"], exchange["headers"]
        self.data = b"" if exchange["body"] is None else json.dumps(exchange["body"]).encode()
        self.content_type = "application/json"


def main() -> int:
    """Returns the exit code: 1 for a violation."""
    if not SPEC.exists():
        print(f"Not checked: {ABSENT}")
        return 0
    checked = check(exchanged(0))
    write(checked)
    print(checked.sentence)
    for violation in checked.violations[:20]:
        print(f"  {violation}")
    return 1 if checked.violations else 0


if __name__ == "__main__":
    sys.exit(main())
