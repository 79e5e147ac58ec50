"""The `x-slipway` fields of a service: how to probe it, and where its state lives."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from flows.core.errors import BadExtension
from flows.core.stack.side_by_side.expose import Expose

_STRICT = ConfigDict(extra="forbid", frozen=True)
_PATH = r"^/\S*$"
# A name or an address, with or without a port (RFC 9110, section 7.2).
_HOST = r"^[A-Za-z0-9._:\[\]-]+$"
Meant = Literal["source", "reload", "debug"]


class McpProbe(BaseModel):
    """MCP tool discovery: the endpoint, tools that must be offered, and how many at least."""

    model_config = _STRICT

    path: str = Field("/mcp", pattern=_PATH)
    tools: tuple[str, ...] = ()
    minimum: int = Field(1, ge=0)


class WorkflowProbe(BaseModel):
    """One end-to-end request. It passes when the answer is 2xx JSON and `expect` holds a non-empty value."""

    model_config = _STRICT

    post: str | None = Field(None, pattern=_PATH)
    get: str | None = Field(None, pattern=_PATH)
    body: Any = None
    expect: str = Field(min_length=1, description="field of the answer that must not be empty; dots go deeper")
    timeout: float = Field(30.0, gt=0, le=600, description="seconds")
    traced: bool | None = Field(
        None,
        description="true: the request must leave a trace in Langfuse; false: none is looked for; "
        "left out: it must where the last good release left one, and elsewhere a missing one is a warning",
    )

    @field_validator("body")
    @classmethod
    def _sendable(cls, value: Any) -> Any:
        """Refuse values that JSON does not have, such as dates, before the probe runs."""
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"cannot be sent as JSON ({error}). Quote it") from None
        return value

    @model_validator(mode="after")
    def _one_method(self) -> "WorkflowProbe":
        if (self.post is None) == (self.get is None):
            raise ValueError("needs either `post: /path` or `get: /path`")
        if self.get is not None and self.body is not None:
            raise ValueError("`body` goes with `post`")
        return self

    @property
    def trace_wanted(self) -> bool:
        """Whether a trace is looked for at all."""
        return self.traced is not False

    def trace_expected(self, before: bool) -> bool:
        """Whether a missing trace is a failure.

        Args:
            before: whether the last good release left one.
        """
        return before if self.traced is None else self.traced

    @property
    def method(self) -> str:
        return "POST" if self.post is not None else "GET"

    @property
    def path(self) -> str:
        return self.post or self.get or "/"


class Extension(BaseModel):
    """The `x-slipway` of one service."""

    model_config = _STRICT

    port: int | None = Field(None, ge=1, le=65535, description="container port of the probes")
    host: str | None = Field(None, pattern=_HOST, description="Host header of the probes; default: localhost:PORT")
    health: str | None = Field(None, pattern=_PATH, description="GET path; any 2xx passes")
    mcp: McpProbe | None = None
    workflow: WorkflowProbe | None = None
    data: Literal["home", "disposable", "per-colour"] | None = Field(
        None, description="where this service's state lives"
    )
    expose: Expose | None = Field(None, description="what the edge serves of it")
    mounts: Mapping[str, Literal["keep", "take", "refuse"]] = Field(
        {}, description="mount → what becomes of a file there that both the release and a service have changed"
    )
    allow: tuple[Meant, ...] = Field(
        (), description="what looks like development and is meant: mounted source, a reload flag, a debug variable"
    )

    @model_validator(mode="before")
    @classmethod
    def _older_spelling(cls, value: Any) -> Any:
        """Version 0.1 had `mounts_source: true` for what is `allow: [source]` now."""
        if not isinstance(value, dict) or "mounts_source" not in value:
            return value
        meant = {key: item for key, item in value.items() if key != "mounts_source"}
        if not isinstance(value["mounts_source"], bool):
            raise ValueError("`mounts_source` is true or false. Better: allow: [source]")
        if value["mounts_source"] and "allow" not in meant:
            meant["allow"] = ["source"]
        return meant

    @field_validator("mcp", mode="before")
    @classmethod
    def _path_alone(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value

    @property
    def probed(self) -> bool:
        return bool(self.health or self.mcp or self.workflow)


def read_extension(service: str, value: Any) -> Extension:
    """Return the service's extension, or the empty one for None.

    Raises:
        BadExtension: names the service and every field that does not fit.
    """
    if value is None:
        return Extension()
    try:
        return Extension.model_validate(value)
    except ValidationError as error:
        faults = "; ".join(_sentence(fault) for fault in error.errors(include_url=False))
        raise BadExtension(f"service {service}: {faults}. What x-slipway may hold: docs/STACK.md") from None


def _sentence(fault: Any) -> str:
    field = ".".join(["x-slipway", *(str(part) for part in fault["loc"])])
    return f"{field}: {fault['msg'].removeprefix('Value error, ')}"
