"""What of a service the edge serves: `x-slipway.expose`."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

# Labels of a host name (RFC 1123, section 2.1), the first of which may be a wildcard (RFC 6125, section 6.4.3).
_HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TCP = (
    "the edge serves HTTP alone: a connection of plain TCP says nowhere which host it is for, and one that is open "
    "cannot be sent to the other colour. Let the service run at home (x-slipway.data: home) with a port of its own"
)


def _host(host: str) -> str:
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is no host name: lower-case labels with dots between, no scheme, no port")
    return host


Host = Annotated[str, AfterValidator(_host)]
PathPrefix = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]*$", max_length=200)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Expose(BaseModel):
    """The hosts and the path by which people reach a service, and the port of its container that answers.

    Several services may share a host by their paths; the longest path that fits decides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[Host, ...] = Field(alias="host", min_length=1, max_length=50, description="one host name, or several")
    port: Port = Field(description="container port that speaks HTTP")
    path: PathPrefix = Field("/", description="path prefix; it is passed on as it came")

    @model_validator(mode="before")
    @classmethod
    def _http_alone(cls, value: Any) -> Any:
        if isinstance(value, dict) and ("tcp" in value or str(value.get("protocol", "http")) not in ("http", "https")):
            raise ValueError(_TCP)
        return value

    @field_validator("hosts", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("hosts")
    @classmethod
    def _each_once(cls, hosts: tuple[Host, ...]) -> tuple[Host, ...]:
        return tuple(dict.fromkeys(hosts))
