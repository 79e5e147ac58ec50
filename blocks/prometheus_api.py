"""Prometheus's HTTP API: instant and range queries, and what they answer as typed values. Needs no Prefect.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from pydantic import SecretStr

from blocks.errors import LoginRefused, ProviderFailed, Unreachable
from blocks.http.clear_text import refuse_clear_text
from blocks.http.content import read_json
from blocks.http.excerpt import excerpt
from blocks.http.request import request_within

T = TypeVar("T")
# Prometheus itself answers at most 11,000 points of each series.
_SERIES, _POINTS = 1000, 11_000
Labels = dict[str, str]


@dataclass(frozen=True)
class PrometheusServer:
    """A Prometheus server and, where it is behind basic authentication, a login.

    Raises (every query):
        Unreachable, LoginRefused, ProviderFailed, NotEncrypted
    """

    url: str
    username: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))

    def query(self, expression: str, timeout: float = 10.0) -> list[tuple[Labels, float]]:
        """The result of an instant query as (labels, value) pairs; an empty list is no data."""
        return self._ask("query", {"query": expression}, timeout, _instant)

    def query_range(
        self, expression: str, start: float, end: float, step: float, timeout: float = 30.0
    ) -> list[tuple[Labels, list[tuple[float, float]]]]:
        """The result of a range query as (labels, samples) pairs, each sample as (moment, value).

        Args:
            start, end: seconds since 1970, both inclusive.
            step: seconds between samples; at most 11,000 of them fit in between.
            timeout: seconds.
        """
        given = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        return self._ask("query_range", given, timeout, _range)

    def _ask(self, what: str, given: Mapping[str, str], timeout: float, read: Callable[[Any], T]) -> T:
        if self.username:
            refuse_clear_text(self.url, "Prometheus")
        auth = (self.username, self.password.get_secret_value()) if self.username else None
        address = f"{self.url.rstrip('/')}/api/v1/{what}"
        try:
            answer = request_within("GET", address, timeout, params=dict(given), auth=auth)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"Prometheus at {self.url} cannot be reached: {error or type(error).__name__}") from None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise LoginRefused(f"Prometheus at {self.url} refuses our login ({answer.status_code})")
        try:
            return read(read_json(answer.content)["data"]["result"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            raise ProviderFailed(f"Prometheus at {self.url}: {answer.status_code}: {excerpt(answer)}") from None


def _instant(result: Any) -> list[tuple[Labels, float]]:
    return [(_labels(entry["metric"]), float(entry["value"][1])) for entry in result]


def _range(result: Any) -> list[tuple[Labels, list[tuple[float, float]]]]:
    if len(result) > _SERIES or any(len(entry["values"]) > _POINTS for entry in result):
        raise ValueError("more than was asked for")
    return [
        (_labels(entry["metric"]), [(float(at), float(value)) for at, value in entry["values"]]) for entry in result
    ]


def _labels(metric: Any) -> Labels:
    return {str(name): str(value) for name, value in metric.items()}
