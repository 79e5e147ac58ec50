"""The development form of a stack, which is refused: mounts of program source, and flags that reload it."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from flows.core.errors import DevelopmentOnly
from flows.core.stack.compose_files import locate
from flows.core.stack.stack import Service, Stack, inside

_RELOADERS = ("--reload", "nodemon", "watchmedo", "watchfiles", "debugpy", "--hot", "--watch")
_DEBUG_VARIABLES = ("FLASK_DEBUG", "UVICORN_RELOAD", "DJANGO_DEBUG")
_OFF = ("", "0", "false", "no", "off")


def refuse_development(stack: Stack, texts: Mapping[str, str], holds_source: Callable[[str], bool]) -> None:
    """Refuse a stack that runs mounted source or reloads it.

    A source mount is a bind mount that contains a build context, or that lies inside one and holds program source.

    Args:
        texts: compose file name → its text, to name the line.
        holds_source: whether a host path is, or contains, program source.

    Raises:
        DevelopmentOnly: one message with every finding, each with its file and line.
    """
    contexts = {s.build.context for s in stack.services.values() if s.build and s.build.local}
    findings = [
        finding
        for service in stack.services.values()
        for finding in (*_source_mounts(service, contexts, texts, holds_source), *_reloads(service, texts))
    ]
    if findings:
        raise DevelopmentOnly(
            "this is the development form of the stack, which is never released: "
            + "; ".join(findings)
            + ". Keep such lines in docker-compose.override.yml, which Slipway does not read"
        )


def _source_mounts(
    service: Service, contexts: set[str], texts: Mapping[str, str], holds_source: Callable[[str], bool]
) -> list[str]:
    if service.extension.mounts_source:
        return []
    return [
        f"{locate(texts, service.name, ['volumes'], mount.target)} mounts source {mount.source} into {service.name}"
        for mount in service.mounts
        if mount.kind == "bind" and _is_source(mount.source, contexts, holds_source)
    ]


def _is_source(path: str, contexts: set[str], holds_source: Callable[[str], bool]) -> bool:
    if any(inside(context, path) for context in contexts):
        return True
    return any(inside(path, context) for context in contexts) and holds_source(path)


def _reloads(service: Service, texts: Mapping[str, str]) -> list[str]:
    findings = []
    for word in " ".join(service.words).split():  # `sh -c "…"` is one word to Compose
        flag = next((r for r in _RELOADERS if word.split("=")[0] == r or PurePosixPath(word).name == r), None)
        if flag:
            place = locate(texts, service.name, ["command", "entrypoint"], flag)
            findings.append(f"{place} starts {service.name} with {flag}")
    for name in _DEBUG_VARIABLES:
        if service.environment.get(name, "").lower() not in _OFF:
            findings.append(f"{locate(texts, service.name, ['environment'], name)} sets {name} for {service.name}")
    return findings
