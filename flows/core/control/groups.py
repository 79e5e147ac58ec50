"""Where each setting stands in a settings file: its group and its key there; and which only the operator may say."""

from collections.abc import Mapping

VERSION = 1
DESTINATION, DESTINATIONS = "destination", "destinations"

# Group → key → the setting's flat name, which is its environment variable's, too, in capitals behind SLIPWAY_.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "stack": {
        "path": "stack",
        **{
            name: name
            for name in (
                *("environment", "profiles", "strategy", "mirror_external", "ships", "ships_megabytes"),
                *("ships_entries", "retention", "restarts_allowed", "log_lines", "supersede", "overview"),
                "confirm",
            )
        },
    },
    "droplets": {
        "default": "droplet",
        "shown": "droplets",
        **{name: name for name in ("green", "blue", "one_droplet", "home")},
    },
    "registry": {"name": "registry", "releases": "registry_releases"},
    "traffic": {
        name: name
        for name in (
            *("switch", "drain", "keep_warm", "canary", "canary_seconds", "approval", "watch", "watch_interval"),
            *("watch_failures", "active_url", "edge_url", "promote_when_stable"),
        )
    },
    "gates": {
        **{
            key: f"gate_{key}"
            for key in (
                *("window", "pause", "requests", "error_rate", "error_margin", "latency", "latency_ratio"),
                *("latency_slack", "coverage", "trace_errors", "observe_only"),
            )
        },
        **{name: name for name in ("langfuse", "prometheus", "requests_query", "error_rate_query", "latency_query")},
    },
    "stability": {
        key: f"stability_{key}"
        for key in (
            *("days", "pull", "success", "coverage", "error_rate", "latency", "frequency", "lead_time"),
            *("change_failures", "restore", "releases", "requests"),
        )
    },
    "timeouts": {
        **{
            key: f"{key}_timeout"
            for key in (
                *("reconnect", "approval", "provider", "switch", "collection", "build", "push", "pull", "sign"),
                *("start", "probe", "trace"),
            )
        },
        **{name: name for name in ("lock_patience", "health_patience", "readiness_delay")},
    },
    "trust": {name: name for name in ("signing", "trusted", "verification", "verification_of", "cosign")},
    "cloud": {
        name: name
        for name in (
            *("account", "rehearsal_switch", "rehearsal_droplet", "rehearsal_requests", "rehearse_days"),
            *("rehearse_success_rate", "rehearse_rollbacks", "rehearse_gate_failures", "snapshots"),
        )
    },
    "worker": {
        name: name
        for name in (
            *("docker", "build_host", "source_roots", "reports", "keep_reports", "keep_reports_days"),
            *("traces_to", "builder_cache", "cleanup_on_failure"),
        )
    },
}
PLACES: Mapping[str, tuple[str, str]] = {
    flat: (group, key) for group, keys in GROUPS.items() for key, flat in keys.items()
}

# What a file that comes with a stack may not say, and why: whoever may push to the repository writes that file, and
# it is read on the worker.
OPERATORS: Mapping[str, str] = {
    "docker": "it names a program that the worker runs",
    "cosign": "it names a program that the worker runs",
    "build_host": "it says on which machine images are built",
    "source_roots": "it says which of the worker's files a run may read",
    "reports": "it says where the worker writes files",
    "keep_reports": "it says which of the worker's files are removed",
    "keep_reports_days": "it says which of the worker's files are removed",
    "traces_to": "it is an address that the worker tells what it does",
    "builder_cache": "it says what is removed from a build host that others use, too",
    "cleanup_on_failure": "it says what is removed from a build host that others use, too",
    "signing": "it says with whose key releases are signed",
    "trusted": "it says whose signatures are believed",
    "verification": "it says whether signatures are asked for",
    "verification_of": "it says whether signatures are asked for",
    "active_url": "it is an address that the worker asks, from inside its network",
}


def told_place(flat: str) -> str:
    """Where a setting stands in a file, in words."""
    group, key = PLACES[flat]
    return f"`{key}` of [{group}]"


def variable(flat: str) -> str:
    """The environment variable of a setting."""
    return f"SLIPWAY_{flat.upper()}"
