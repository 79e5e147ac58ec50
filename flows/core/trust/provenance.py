"""The provenance of an image: what it was built from, with which parameters, by which run.

The predicate is that of SLSA (https://slsa.dev/spec/v1.0/provenance); its build type is described in
docs/PROVENANCE.md. It is public to whoever may pull the image: no secret, no value of an environment is part of it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flows.core.answers import reads
from flows.core.trust.bases import BaseImage

PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://slipway.dev/build/compose/v1"
BUILDER = "https://slipway.dev/builder/v1"
_SCP = re.compile(r"(?:[^@/:\s]+@)?([^@/:\s]+):(?!//)([^@\s]+)")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REMOTE = ("https", "http", "ssh", "git")
_LARGEST = 4 * 1024 * 1024


@dataclass(frozen=True)
class BuildParameters:
    """What was asked for: the stack and tag, the service that was built and the git reference, and where it is written.

    Args:
        compose_files: relative to the top of the source.
        arguments: the names of the service's build arguments, without their values.
    """

    stack: str
    tag: str
    service: str
    ref: str = ""
    compose_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    platform: str = ""
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class BuildSource:
    """The git commit that was built, and the remote that it is from. `dirty`: its tree had changes beside it."""

    commit: str = ""
    remote: str = ""
    dirty: bool = False


@dataclass(frozen=True)
class BuildRun:
    """The run that built: its URL or id, when it began and ended (RFC 3339, UTC), and by whom (`user@host`)."""

    url: str = ""
    started: str = ""
    finished: str = ""
    by: str = ""
    slipway: str = ""


@dataclass(frozen=True)
class Provenance:
    """The provenance of an image as a predicate says it."""

    parameters: BuildParameters
    source: BuildSource
    bases: tuple[BaseImage, ...] = ()
    run: BuildRun = field(default_factory=BuildRun)
    builder: str = BUILDER


def slsa_predicate(
    parameters: BuildParameters, source: BuildSource, bases: Sequence[BaseImage], run: BuildRun, builder: str = BUILDER
) -> bytes:
    """The predicate as JSON. The same facts, the same bytes."""
    asked = {
        "stack": parameters.stack,
        "tag": parameters.tag,
        "service": parameters.service,
        "ref": parameters.ref,
        "composeFiles": list(parameters.compose_files),
        "profiles": list(parameters.profiles),
        "platform": parameters.platform,
        "buildArguments": sorted(parameters.arguments),
    }
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": _said(asked),
            "internalParameters": _said({"slipway": run.slipway, "builtBy": run.by}),
            "resolvedDependencies": [*_source(source), *map(_base, bases)],
        },
        "runDetails": {
            "builder": {"id": builder, **({"version": {"slipway": run.slipway}} if run.slipway else {})},
            "metadata": _said({"invocationId": run.url, "startedOn": run.started, "finishedOn": run.finished}),
        },
    }
    return json.dumps(predicate, sort_keys=True).encode()


@reads("the provenance of an image")
def read_provenance(predicate: bytes) -> Provenance:
    """Parse a predicate that `slsa_predicate` wrote, or another builder; what ours does not say is empty.

    Raises:
        UnreadableAnswer: it is none.
    """
    if len(predicate) > _LARGEST:
        raise ValueError("too large")
    document = json.loads(predicate)
    definition, details = document["buildDefinition"], document["runDetails"]
    asked, inner = definition["externalParameters"], definition.get("internalParameters") or {}
    metadata = details.get("metadata") or {}
    dependencies = [dict(entry) for entry in definition.get("resolvedDependencies") or ()]
    sources = [entry for entry in dependencies if "gitCommit" in (entry.get("digest") or {})]
    return Provenance(
        BuildParameters(
            stack=_text(asked.get("stack")),
            tag=_text(asked.get("tag")),
            service=_text(asked.get("service")),
            ref=_text(asked.get("ref")),
            compose_files=_texts(asked.get("composeFiles")),
            profiles=_texts(asked.get("profiles")),
            platform=_text(asked.get("platform")),
            arguments=_texts(asked.get("buildArguments")),
        ),
        _read_source(sources[0]) if sources else BuildSource(),
        tuple(_read_base(entry) for entry in dependencies if entry not in sources),
        BuildRun(
            url=_text(metadata.get("invocationId")),
            started=_text(metadata.get("startedOn")),
            finished=_text(metadata.get("finishedOn")),
            by=_text(inner.get("builtBy")),
            slipway=_text(inner.get("slipway")),
        ),
        str(details["builder"]["id"]),
    )


def public_remote(remote: str) -> str:
    """A git remote as a URL without user, password, query and fragment; '' for a place on the build host, and for one
    that is not plain enough to tell what of it is a login."""
    remote = remote.strip()
    if "://" not in remote:
        short = _SCP.fullmatch(remote)
        return f"ssh://{short[1]}/{short[2].lstrip('/')}" if short and len(short[1]) > 1 else ""
    try:
        parts = urlsplit(remote)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in _REMOTE or not host or "@" in parts.path:
        return ""
    place = f"[{host}]" if ":" in host else host
    return urlunsplit((parts.scheme, f"{place}:{port}" if port else place, parts.path, "", ""))


def _source(source: BuildSource) -> list[dict[str, Any]]:
    if not _COMMIT.fullmatch(source.commit):
        return []
    remote = public_remote(source.remote)
    entry: dict[str, Any] = {"name": "source", "digest": {"gitCommit": source.commit}}
    if remote:
        entry["uri"] = f"git+{remote}@{source.commit}"
    if source.dirty:
        entry["annotations"] = {"dirty": True}
    return [entry]


def _base(base: BaseImage) -> dict[str, Any]:
    digests = {"sha256": base.digest, "dockerImageId": base.image_id}
    found = {name: value.removeprefix("sha256:") for name, value in digests.items() if value}
    return {"name": "base image", "uri": base.reference, **({"digest": found} if found else {})}


def _read_source(entry: Mapping[str, Any]) -> BuildSource:
    commit = _text(entry["digest"]["gitCommit"])
    remote = _text(entry.get("uri")).removeprefix("git+").removesuffix(f"@{commit}")
    return BuildSource(commit, remote, bool((entry.get("annotations") or {}).get("dirty")))


def _read_base(entry: Mapping[str, Any]) -> BaseImage:
    digests = entry.get("digest") or {}
    found = [f"sha256:{_text(digests[name])}" if name in digests else "" for name in ("sha256", "dockerImageId")]
    return BaseImage(_text(entry.get("uri")), *found)


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
