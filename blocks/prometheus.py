"""The Prometheus block: the server that the gates read metrics from."""

from prefect.blocks.core import Block
from pydantic import Field, HttpUrl, SecretStr

from blocks.prometheus_api import PrometheusServer


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

    def server(self) -> PrometheusServer:
        """The client of its HTTP API."""
        return PrometheusServer(self.url, self.username, self.password)

    def query(self, expression: str, timeout: float = 10.0) -> list[tuple[dict[str, str], float]]:
        """The result of an instant query as (labels, value) pairs; an empty list is no data.

        Raises:
            Unreachable, LoginRefused, ProviderFailed, NotEncrypted
        """
        return self.server().query(expression, timeout)

    def reach(self) -> str:
        """A sentence for the terminal: how many targets it scrapes."""
        return f"Prometheus at {self.url}: {len(self.query('up'))} targets"
