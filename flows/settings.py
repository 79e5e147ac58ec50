"""Everything a user may set, except credentials (these are Prefect blocks).

Read from, strongest first: environment variables `SLIPWAY_…`, `.env`, `slipway.toml` in the working directory, and
`.slipway/settings.toml`, which the lab writes.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

Strategy = Literal["rolling", "prefetch", "recreate"]


class Settings(BaseSettings):
    """The settings, each with a default that serves."""

    model_config = SettingsConfigDict(
        env_prefix="SLIPWAY_",
        env_file=".env",
        extra="ignore",
        frozen=True,
    )

    stack: str = Field("compose", description="compose file, or the directory it is in")
    droplet: str = Field("green", description="name of the Droplet block that is deployed to")
    droplets: tuple[str, ...] = Field(("green", "blue"), description="names of the Droplet blocks that `status` shows")
    registry: str = Field("registry", description="name of the ContainerRegistry block")
    environment: str = Field("", description="name of the StackEnvironment block; empty: the stack's own name")
    langfuse: str = Field("langfuse", description="name of the Langfuse block; without such a block nothing is traced")
    build_host: str = Field("", description="name of a prefect-docker DockerHost block; empty: the engine of this host")
    docker: str = Field("docker", description="the docker client of the build host")
    profiles: tuple[str, ...] = Field((), description="Compose profiles that belong to the stack")
    strategy: Strategy = Field("rolling", description="how services are replaced: rolling, prefetch or recreate")
    mirror_external: bool = Field(False, description="copy images from elsewhere into the registry")
    cleanup_on_failure: bool = Field(
        default_factory=lambda: bool(os.environ.get("CI")),
        description="prune dangling layers and builder cache after a failed build or push; default: on when CI is set",
    )
    builder_cache: str = Field("10GB", description="how much builder cache that pruning leaves")
    retention: int = Field(5, ge=1, description="good releases each droplet keeps")
    reports: Path = Field(Path("reports"), description="where reports are written")
    active_url: str = Field("", description="URL that answers with the name of the droplet that traffic reaches")
    edge_url: str = Field("", description="the address people use, for the summary")

    reconnect_timeout: float = Field(
        120, ge=0, description="seconds to wait for a droplet that went away, before a rollback gives up"
    )
    lock_patience: float = Field(
        45, ge=0, description="seconds a rollback waits for the droplet's lock (its lease is 20)"
    )

    build_timeout: float = Field(1800, gt=0, description="seconds for `docker compose build`")
    push_timeout: float = Field(1800, gt=0, description="seconds for pushing one image")
    pull_timeout: float = Field(1800, gt=0, description="seconds for pulling a release onto a droplet")
    start_timeout: float = Field(900, gt=0, description="seconds for `docker compose up` (it waits on depends_on)")
    probe_timeout: float = Field(10, gt=0, description="seconds for one health or MCP probe")
    trace_timeout: float = Field(30, gt=0, description="seconds until a probe's trace must stand in Langfuse")
    health_patience: float = Field(20, ge=0, description="seconds in which a health or MCP probe is tried again")
    readiness_delay: float = Field(2, ge=0, description="seconds a service without healthcheck must keep running")
    restarts_allowed: int = Field(3, ge=0, description="restarts a starting service may have")
    log_lines: int = Field(20, ge=0, description="last log lines shown of what is not healthy")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — secrets are blocks, never settings
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        lab = Path(os.environ.get("SLIPWAY_STATE", ".slipway")) / "settings.toml"
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            TomlConfigSettingsSource(settings_cls, [lab, Path("slipway.toml")]),
        )
