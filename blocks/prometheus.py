"""The Prometheus block: the server that the gates read metrics from."""

import httpx
from prefect.blocks.core import Block
from pydantic import Field, HttpUrl, SecretStr

from blocks.errors import LoginRefused, ProviderFailed, Unreachable
from blocks.http.clear_text import refuse_clear_text
from blocks.http.content import read_json
from blocks.http.excerpt import excerpt
from blocks.http.request import request_within


class Prometheus(Block):
    """
    A Prometheus server: its address and, where it is behind basic authentication, a login.

    Example:
        ```python
        from blocks import Prometheus

        prometheus = Prometheus.load("BLOCK_NAME")
        print(prometheus.query("up"))
        ```
    """

    _block_type_name = "Slipway Prometheus"
    _block_type_slug = "slipway-prometheus"
    _logo_url = HttpUrl("https://github.com/prometheus.png")
    _documentation_url = HttpUrl("https://prometheus.io/docs/prometheus/latest/querying/api/")
    _description = "A Prometheus server that scrapes the stack's services."

    url: str = Field(title="URL", pattern=r"^https?://", description="Such as http://10.0.0.4:9090.")
    username: str = Field("", title="User", description="For servers behind basic authentication, by https.")
    password: SecretStr = Field(SecretStr(""), title="Password", description="For servers behind basic authentication.")

    def query(self, expression: str, timeout: float = 10.0) -> list[tuple[dict[str, str], float]]:
        """The result of an instant query as (labels, value) pairs; an empty list is no data.

        Source: https://prometheus.io/docs/prometheus/latest/querying/api/

        Raises:
            Unreachable, LoginRefused, ProviderFailed, NotEncrypted
        """
        if self.username:
            refuse_clear_text(self.url, "Prometheus")
        auth = (self.username, self.password.get_secret_value()) if self.username else None
        address = f"{self.url.rstrip('/')}/api/v1/query"
        try:
            answer = request_within("GET", address, timeout, params={"query": expression}, auth=auth)
        except httpx.HTTPError as error:
            raise Unreachable(f"Prometheus at {self.url} cannot be reached: {error or type(error).__name__}") from None
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise LoginRefused(f"Prometheus at {self.url} refuses our login ({answer.status_code})")
        try:
            result = read_json(answer.content)["data"]["result"]
            return [(dict(entry["metric"]), float(entry["value"][1])) for entry in result]
        except (ValueError, KeyError, TypeError, IndexError):
            raise ProviderFailed(f"Prometheus at {self.url}: {answer.status_code}: {excerpt(answer)}") from None

    def reach(self) -> str:
        """A sentence for the terminal: how many targets it scrapes."""
        return f"Prometheus at {self.url}: {len(self.query('up'))} targets"
