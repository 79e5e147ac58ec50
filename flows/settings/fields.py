"""Everything a user may set, except credentials (these are Prefect blocks): names, types, defaults, descriptions."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.core.gates import metrics
from flows.core.gates.verdict import Observable
from flows.core.traffic.canary import Percents
from flows.core.trust.policy import Policy

Strategy = Literal["rolling", "prefetch", "recreate"]
KeepWarm = Annotated[float, Field(ge=0, allow_inf_nan=False)] | Literal["always", "never", ""]
TRACES_TO_LANGFUSE = "langfuse"
TracesTo = Annotated[str, Field(pattern=rf"^({TRACES_TO_LANGFUSE}|https?://[^\s@]+)?$")]
Approval = Literal["never", "inconclusive", "always"]


class SettingsFields(BaseSettings):
    """All settings, each with a default that serves. In a file they stand in groups: flows/core/control/groups.py."""

    model_config = SettingsConfigDict(
        env_prefix="SLIPWAY_",
        env_file=".env",
        extra="ignore",
        frozen=True,
    )

    destination: str = Field(
        "", description="the destination of runs that name none; empty: the only one there is, or none at all"
    )
    stack: str = Field("compose", description="compose file, or the directory it is in")
    droplet: str = Field("green", description="name of the Droplet block that is deployed to")
    droplets: tuple[str, ...] = Field(
        (), description="names of the Droplet blocks that `status` shows; default: both colours and the data home"
    )
    green: tuple[str, ...] = Field(("green",), description="names of the Droplet blocks of the colour green")
    blue: tuple[str, ...] = Field(("blue",), description="names of the Droplet blocks of the colour blue")
    one_droplet: str = Field(
        "", description="name of the Droplet block that has both colours and the data home; means green, blue and home"
    )
    switch: str = Field("", description="name of the traffic switch's block; empty: there is no second colour")
    home: str = Field("", description="name of the Droplet block of the data home; empty: there is none")
    drain: float = Field(
        60, ge=0, description="seconds from the turn that requests have to end on the colour that traffic left"
    )
    keep_warm: KeepWarm = Field(
        "",
        description="how long the colour that traffic left goes on running: seconds from the turn, always, or never "
        "(not after the watch); empty: never where both colours are on one droplet, always elsewhere",
    )
    canary: Percents = Field(
        (), description="percent of the clients that the steps of a promotion send to the new colour, rising"
    )
    canary_seconds: float = Field(60, gt=0, description="seconds that each of these steps lasts")
    registry: str = Field("registry", description="name of the ContainerRegistry block")
    environment: str = Field("", description="name of the StackEnvironment block; empty: the stack's own name")
    account: str = Field("digitalocean", description="name of the DigitalOceanAccount block")
    langfuse: str = Field("langfuse", description="name of the Langfuse block; without such a block nothing is traced")
    prometheus: str = Field(
        "prometheus", description="name of the Prometheus block; without such a block no metric is a gate"
    )
    signing: str = Field(
        "signing", description="name of the SigningKey block; without such a block releases are not signed"
    )
    trusted: str = Field("trusted", description="name of the TrustedKeys block, by which signatures are verified")
    verification: Policy | Literal[""] = Field(
        "",
        description="what a release that is not signed as it must be means: enforce (refused), warn or off; empty: "
        "enforce, once a key is trusted",
    )
    verification_of: dict[str, Policy] = Field(
        {}, description="name of a stack or of a Droplet block, and its own `verification`; of several the strictest"
    )
    cosign: str = Field("cosign", description="the cosign program, which signs and verifies")
    build_host: str = Field("", description="name of a prefect-docker DockerHost block; empty: the engine of this host")
    source_roots: tuple[str, ...] = Field(
        (),
        description="directories that `stack` and `env_file` of a run may name, and that files may ship from beside "
        "the checkout; empty: runs may name any",
    )
    docker: str = Field("docker", description="the docker client of the build host")
    profiles: tuple[str, ...] = Field((), description="Compose profiles that belong to the stack")
    strategy: Strategy = Field("rolling", description="how services are replaced: rolling, prefetch or recreate")
    mirror_external: bool = Field(False, description="copy images from elsewhere into the registry")
    cleanup_on_failure: bool = Field(
        default_factory=lambda: bool(os.environ.get("CI")),
        description="prune dangling layers and builder cache after a failed build or push; default: on when CI is set",
    )
    ships: tuple[str, ...] = Field(
        (),
        description="patterns, as in .gitignore and from the compose file's directory, of mounted files that ship "
        "though git ignores them or they look like credentials",
    )
    ships_megabytes: int = Field(1000, gt=0, description="megabytes of mounted files that a release may ship")
    ships_entries: int = Field(100_000, gt=0, description="mounted files and directories that a release may ship")
    builder_cache: str = Field("10GB", description="how much builder cache that pruning leaves")
    retention: int = Field(5, ge=1, description="good releases each droplet keeps")
    reports: Path = Field(Path("reports"), description="where reports are written")
    keep_reports: int = Field(50, ge=1, description="debug bundles, and metadata of releases, that are kept there")
    keep_reports_days: float = Field(90, gt=0, description="days after which they go, however few there are")
    traces_to: TracesTo = Field(
        "", description="where traces of runs go: langfuse (its block), or an OTLP endpoint; empty: nowhere"
    )
    active_url: str = Field("", description="URL that answers with the name of the droplet that traffic reaches")
    edge_url: str = Field("", description="the address people use, for the summary")

    reconnect_timeout: float = Field(120, ge=0, description="seconds a rollback waits for a droplet that went away")
    lock_patience: float = Field(
        45, ge=0, description="seconds a rollback waits for the droplet's lock (its lease is 20)"
    )

    confirm: bool = Field(
        False, description="ask at the terminal, with the plan, before `deploy` and `release` change a droplet"
    )
    supersede: bool = Field(True, description="a run that waits in the queue gives way to a newer one for its place")
    overview: bool = Field(True, description="a run that changes something renews the overview of its destination")
    approval: Approval = Field(
        "inconclusive", description="when a person is asked before traffic moves: never, inconclusive or always"
    )
    approval_timeout: float = Field(3600, gt=0, description="seconds a person has to answer; then it means no")
    gate_window: float = Field(30, ge=0, description="seconds in which requests are counted before metrics are judged")
    gate_pause: float = Field(2, gt=0, description="seconds between two rounds of workflow probes in that window")
    gate_requests: int = Field(10, ge=1, description="requests a colour must have had for its metrics to say anything")
    gate_error_rate: float = Field(0.01, ge=0, le=1, description="share of requests that may fail")
    gate_error_margin: float = Field(0.01, ge=0, le=1, description="by how much it may exceed the active colour's")
    gate_latency: float = Field(5, gt=0, description="seconds the 95th percentile may take")
    gate_latency_ratio: float = Field(2, ge=1, description="how many times the active colour's it may be")
    gate_latency_slack: float = Field(0.25, ge=0, description="seconds by which it may exceed it in any case")
    gate_coverage: float = Field(1, ge=0, le=1, description="share of the agents whose probe must be traced")
    gate_trace_errors: int = Field(0, ge=0, description="observations of level ERROR that these traces may hold")
    gate_observe_only: tuple[Observable, ...] = Field(
        (), description="names of gates that are read and shown, and decide nothing"
    )
    requests_query: str = Field(metrics.REQUESTS, description="PromQL: requests of $colour in the last $window")
    error_rate_query: str = Field(metrics.ERROR_RATE, description="PromQL: share of these that failed")
    latency_query: str = Field(metrics.LATENCY, description="PromQL: their 95th percentile in seconds")
    provider_timeout: float = Field(3, gt=0, description="seconds for one question to Prometheus or Langfuse")
    switch_timeout: float = Field(10, gt=0, description="seconds until the new release must answer through the switch")
    watch: float = Field(60, ge=0, description="seconds for which the gates are read again after a promotion")
    watch_interval: float = Field(5, gt=0, description="seconds between two such readings")
    watch_failures: int = Field(2, ge=1, description="failing readings in a row after which traffic goes back")

    promote_when_stable: bool = Field(
        False, description="a promotion begins only once the active release was stable, as `rehearse_…` says"
    )
    stability_days: float = Field(7, gt=0, le=366, description="days that `slipway stability` looks back")
    stability_pull: float = Field(60, gt=0, description="seconds the 95th percentile of an image's pull may take")
    stability_success: float = Field(0.9, ge=0, le=1, description="share of the releases that must end good")
    stability_coverage: float = Field(0.95, ge=0, le=1, description="share of the traced workflows to leave a trace")
    stability_error_rate: float = Field(0.01, ge=0, le=1, description="share of the requests that may fail")
    stability_latency: float = Field(5, gt=0, description="seconds the 95th percentile of requests may take")
    stability_frequency: float = Field(1, ge=0, description="releases a week that must reach clients")
    stability_lead_time: float = Field(24, gt=0, description="hours from a commit until clients reach it, median")
    stability_change_failures: float = Field(0.15, ge=0, le=1, description="share of the changes that may fail")
    stability_restore: float = Field(60, gt=0, description="minutes until the release before is well again, median")
    stability_releases: int = Field(5, ge=1, description="releases below which a share says nothing")
    stability_requests: int = Field(100, ge=1, description="requests below which error rate and latency say nothing")

    rehearsal_switch: str = Field("", description="name of the traffic switch's block that a rehearsal turns")
    rehearsal_droplet: str = Field("rehearsal", description="name of the droplet that a rehearsal makes")
    rehearsal_requests: int = Field(200, ge=1, le=5000, description="requests a rehearsal makes through its switch")
    rehearse_days: float = Field(7, ge=0, description="days the active release must have been active before one")
    rehearse_success_rate: float = Field(0.9, ge=0, le=1, description="share of releases in that time that were good")
    rehearse_rollbacks: int = Field(0, ge=0, description="rollbacks there may have been in that time")
    rehearse_gate_failures: int = Field(0, ge=0, description="releases there may have been whose gates failed")
    snapshots: int = Field(3, ge=1, description="snapshots of ours that each droplet keeps at DigitalOcean")
    registry_releases: int = Field(10, ge=1, description="newest releases of each stack that the registry keeps")
    collection_timeout: float = Field(
        1800, gt=0, description="seconds a push waits for a garbage collection of the registry"
    )
    build_timeout: float = Field(1800, gt=0, description="seconds for `docker compose build`")
    push_timeout: float = Field(1800, gt=0, description="seconds for pushing one image")
    pull_timeout: float = Field(1800, gt=0, description="seconds for pulling a release onto a droplet")
    sign_timeout: float = Field(120, gt=0, description="seconds for one call of cosign")
    start_timeout: float = Field(900, gt=0, description="seconds for `docker compose up` (it waits on depends_on)")
    probe_timeout: float = Field(10, gt=0, description="seconds for one health or MCP probe")
    trace_timeout: float = Field(30, gt=0, description="seconds until a probe's trace must stand in Langfuse")
    health_patience: float = Field(20, ge=0, description="seconds in which a health or MCP probe is tried again")
    readiness_delay: float = Field(2, ge=0, description="seconds a service without healthcheck must keep running")
    restarts_allowed: int = Field(3, ge=0, description="restarts a starting service may have")
    log_lines: int = Field(20, ge=0, description="last log lines shown of what is not healthy")
