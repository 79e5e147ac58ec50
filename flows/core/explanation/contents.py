"""Where the content of each env file, secret and config comes from; never the content."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from flows.core.explanation.explanation import ExplainedContent
from flows.core.explanation.reading import EnvFile, ReadStack
from flows.core.stack.stack import inside

_BLOCK = "the environment block"


def explain_contents(read: ReadStack) -> tuple[ExplainedContent, ...]:
    """Every env file, secret and config that belongs to the stack."""
    files = (
        ExplainedContent("env file", one.path if one.on_droplet else read.shown(one.path), _of(one), one.services)
        for one in read.env_files
    )
    return (*files, *_held(read, "secret"), *_held(read, "config"))


def _of(file: EnvFile) -> str:
    if file.on_droplet:
        return "the droplet's own: an absolute path, left alone"
    if file.names is None:
        return "not here" if file.required else "not here, and not required"
    count = f"{len(file.names)} variable{'s' * (len(file.names) != 1)}"
    purpose = ", for the compose files" if file.interpolates else ""
    return f"{_BLOCK} ({count} here{purpose})"


def _held(read: ReadStack, kind: Literal["secret", "config"]) -> Iterator[ExplainedContent]:
    for name, spec in sorted((read.config.get(f"{kind}s") or {}).items()):
        mine = [
            s.name for s in read.stack.services.values() if name in (s.secret_names if kind == "secret" else s.configs)
        ]
        building = [s.name for s in read.stack.services.values() if s.build and name in _build_secrets(s.build.spec)]
        source = _source(read, spec or {}, (read.written.get(f"{kind}s") or {}).get(name) or {})
        if not mine and not building:
            source += "; no service uses it"
        yield ExplainedContent(kind, name, source, tuple(sorted(mine)), tuple(sorted(building)))


def _source(read: ReadStack, spec: Mapping[str, Any], written: Mapping[str, Any]) -> str:
    if path := spec.get("file"):
        return _of_file(read, str(path))
    if variable := written.get("environment"):
        absent = "" if variable in read.variables else f", which {read.variables_from} does not set"
        return f"variable {variable}{absent}"
    if "content" in written:
        return "its content stands in the compose file"
    if spec.get("external"):
        return "external: only Swarm has such, Compose cannot use it"
    return "nothing"


def _of_file(read: ReadStack, path: str) -> str:
    if path in read.sources.host_paths:
        return f"{path}, the droplet's own"
    if path in {entry.path for entry in read.sources.environment_files}:
        return f"{read.shown(path)}, by {_BLOCK}"
    if any(inside(path, one) for one in (*read.sources.shipped, *read.sources.state)):
        return f"{read.shown(path)}, ships with the release"
    return f"{path}, of this host: it reaches no droplet"


def _build_secrets(build: Any) -> set[str]:
    entries = (build.get("secrets") or ()) if isinstance(build, Mapping) else ()
    return {str(entry["source"] if isinstance(entry, Mapping) else entry) for entry in entries}
