"""The Langfuse block: the project that the stack's agents, and Slipway itself, send their traces to."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
from prefect.blocks.core import Block
from pydantic import Field, HttpUrl, SecretStr

from blocks.errors import LoginRefused, ProviderFailed, Unreachable
from blocks.http.clear_text import refuse_clear_text
from blocks.http.content import read_json
from blocks.http.excerpt import excerpt
from blocks.http.otlp import Span, traces_body
from blocks.http.request import request_within


class Langfuse(Block):
    """
    A Langfuse project: its address and its keys.

    Sources: https://langfuse.com/integrations/native/opentelemetry (ingestion by OTLP), and Langfuse's OpenAPI
    description (GET /api/public/health, GET /api/public/v2/observations).

    Example:
        ```python
        from blocks import Langfuse

        langfuse = Langfuse.load("BLOCK_NAME")
        print(langfuse.reach())
        ```
    """

    _block_type_name = "Slipway Langfuse"
    _block_type_slug = "slipway-langfuse"
    _logo_url = HttpUrl("https://github.com/langfuse.png")
    _documentation_url = HttpUrl("https://langfuse.com/docs")
    _description = "A Langfuse project and its keys."

    url: str = Field(
        title="URL",
        pattern=r"^https?://",
        description="Such as https://cloud.langfuse.com; not http.",
    )
    public_key: str = Field(title="Public key", description="`pk-lf-…` of the project.")
    secret_key: SecretStr = Field(title="Secret key", description="`sk-lf-…` of the project.")

    def observations(self, trace_id: str, timeout: float = 10.0) -> list[dict[str, Any]]:
        """The observations of one trace; an empty list while there are none (ingestion takes a moment)."""
        query = {"traceId": trace_id, "limit": 100, "fields": "core,basic"}
        found = self._ask("GET", "/api/public/v2/observations", timeout, params=query).get("data")
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise ProviderFailed(f"Langfuse at {self.url}: its answer holds no `data` that is a list of observations.")
        return found

    def send_trace(self, name: str, trace_id: str, attributes: dict[str, str], started: float, ended: float) -> None:
        """Send one trace of one span, as OTLP over HTTP in JSON.

        Args:
            trace_id: 32 hex digits.
            attributes: span attributes; `langfuse.*` names have a meaning there.
            started, ended: seconds since the epoch.
        """
        span = Span(name, trace_id, trace_id[:16], started, ended, attributes=attributes)
        self.send_spans(traces_body([span]))

    def send_spans(self, body: Mapping[str, Any], timeout: float = 10.0) -> None:
        """Send spans, as `traces_body` makes them. Raises Unreachable, LoginRefused, ProviderFailed."""
        self._ask("POST", "/api/public/otel/v1/traces", timeout, json=dict(body))

    def reach(self) -> str:
        """A sentence for the terminal: its version, and that it takes our keys.

        Raises:
            Unreachable, LoginRefused, ProviderFailed
        """
        version = self._ask("GET", "/api/public/health", 10.0).get("version", "unknown")
        self.observations(f"{int(time.time()):032x}")
        return f"Langfuse {version} at {self.url}: keys accepted"

    def _ask(self, method: str, path: str, timeout: float, **more: Any) -> dict[str, Any]:
        refuse_clear_text(self.url, "Langfuse")
        auth = (self.public_key, self.secret_key.get_secret_value())
        try:
            address = f"{self.url.rstrip('/')}{path}"
            answer = request_within(method, address, timeout, auth=auth, **more)
        except httpx.HTTPError as error:
            raise Unreachable(f"Langfuse at {self.url} cannot be reached: {error or type(error).__name__}") from None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise LoginRefused(f"Langfuse at {self.url} refuses key {self.public_key} ({answer.status_code})")
        if not answer.is_success:
            raise ProviderFailed(f"Langfuse at {self.url}: {method} {path}: {answer.status_code} {excerpt(answer)}")
        if not answer.content:
            return {}
        try:
            found = read_json(answer.content)
        except ValueError:
            raise ProviderFailed(f"Langfuse at {self.url}: {method} {path}: no JSON: {excerpt(answer)}") from None
        return found if isinstance(found, dict) else {"data": found}
