"""The redaction of a debug bundle: which files hold secrets, the mask made of them, and its use."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flows.core.debug.evidence import Evidence
from flows.core.debug.overview import StackOverview
from flows.core.droplet.containers import container_environment
from flows.core.droplet.directories import ENVIRONMENT, StackDirectory
from flows.core.secrets.masking import Mask, container_values, file_values
from flows.core.secrets.release_environment import environment_paths, own_values

_SECRETS_MOUNT = "/run/secrets/"
_PROJECT_DIRECTORY = "com.docker.compose.project.working_dir"


def secret_paths(overview: StackOverview, home: StackDirectory | None) -> list[str]:
    """Paths of files that hold secrets of the stack: environment, env files, secret files, mounted secrets."""
    paths = environment_paths(home.current, overview.release) if home else []
    for container in overview.containers:
        mounts = overview.inspected[container.id].get("Mounts") or ()
        paths += [m.get("Source") or "" for m in mounts if (m.get("Destination") or "").startswith(_SECRETS_MOUNT)]
        if not home and (directory := dict(container.labels).get(_PROJECT_DIRECTORY)):
            paths.append(f"{directory}/.env")
    return list(dict.fromkeys(filter(None, paths)))


def redaction_mask(overview: StackOverview, paths: Sequence[str], evidence: Evidence, known: frozenset[str]) -> Mask:
    """The mask over secrets that are known already, of those files, and of the containers' environments.

    Public names (stack, services, tag, registry) stay readable.
    """
    secrets = set(known)
    public = {overview.name, *overview.services, *(container.name for container in overview.containers)}
    for path, text in zip(paths, evidence.secrets, strict=False):
        secrets |= file_values(path, text)
        if path.endswith(f"/current/{ENVIRONMENT}"):
            public |= own_values(text)
    for inspected in overview.inspected.values():
        config = inspected.get("Config") or {}
        words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
        secrets |= container_values(container_environment(inspected), words)
    return Mask(secrets, public)


def redact(overview: StackOverview, evidence: Evidence, mask: Mask) -> tuple[StackOverview, Evidence]:
    """The overview and the evidence with secrets masked. Shorten only afterwards: half a secret cannot be masked."""
    hidden = replace(
        overview,
        inspected={key: _hidden(entry, mask) for key, entry in overview.inspected.items()},
        containers=tuple(replace(one, last_words=mask(one.last_words)) for one in overview.containers),
        records=mask(overview.records),
        trouble=mask(overview.trouble),
    )
    said = replace(evidence.host, said=mask.tree(evidence.host.said))
    return hidden, replace(evidence, logs=mask.tree(evidence.logs), host=said, secrets=())


def _hidden(inspected: Mapping[str, Any], mask: Mask) -> dict[str, Any]:
    config = dict(inspected.get("Config") or {})
    config["Env"] = [f"{name}={value}" for name, value in mask.environment(container_environment(inspected)).items()]
    config["Labels"] = mask.environment(config.get("Labels") or {})
    hidden: dict[str, Any] = mask.tree({**inspected, "Config": config})
    return hidden
