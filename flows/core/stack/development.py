"""The development form of a stack, which is refused: mounts of program source, and flags that reload it."""

from collections.abc import Callable, Collection, Iterator, Mapping

from flows.core.errors import DevelopmentOnly
from flows.core.stack.command_line import reloading_words
from flows.core.stack.compose_files import locate
from flows.core.stack.stack import Service, Stack, inside

_DEBUG_VARIABLES = ("FLASK_DEBUG", "UVICORN_RELOAD", "DJANGO_DEBUG")
_OFF = ("", "0", "false", "f", "no", "n", "off", "none", "null")


def refuse_development(
    stack: Stack, texts: Mapping[str, str], holds_source: Callable[[str], bool], host_paths: Collection[str] = ()
) -> None:
    """Refuse a stack that would run mounted source or reload it.

    A source mount is a bind mount that contains a build context, or that lies inside one and holds program source.

    Args:
        texts: compose file name → its text, to name the line.
        holds_source: whether a host path is, or contains, program source.
        host_paths: mounts that are the droplet's own; there they hold nothing of the build host's source.

    Raises:
        DevelopmentOnly: one message with every finding: file and line, what is wrong, and how to say that it is meant.
    """
    contexts = {s.build.context for s in stack.services.values() if s.build and s.build.local}
    findings = [
        f"{finding} (meant? x-slipway: {{allow: [{kind}]}})"
        for service in stack.services.values()
        for kind, found in (
            ("source", _source_mounts(service, contexts, texts, holds_source, host_paths)),
            ("reload", _reloads(service, texts)),
            ("debug", _debugs(service, texts)),
        )
        if kind not in service.extension.allow
        for finding in found
    ]
    if findings:
        raise DevelopmentOnly(
            "this is the development form of the stack, which is never released: "
            + "; ".join(findings)
            + ". Keep such lines in docker-compose.override.yml, which Slipway does not read, or say beside the "
            "service that they are meant"
        )


def _source_mounts(
    service: Service,
    contexts: set[str],
    texts: Mapping[str, str],
    holds_source: Callable[[str], bool],
    host_paths: Collection[str],
) -> Iterator[str]:
    for mount in service.mounts:
        if mount.kind == "bind" and mount.source not in host_paths and _is_source(mount.source, contexts, holds_source):
            place = locate(texts, service.name, ["volumes"], mount.target)
            yield f"{place} mounts source {mount.source} into {service.name}"


def _is_source(path: str, contexts: set[str], holds_source: Callable[[str], bool]) -> bool:
    if any(inside(context, path) for context in contexts):
        return True
    return any(inside(path, context) for context in contexts) and holds_source(path)


def _reloads(service: Service, texts: Mapping[str, str]) -> Iterator[str]:
    for word in reloading_words(service.words):
        place = locate(texts, service.name, ["command", "entrypoint"], word)
        yield f"{place} starts {service.name} with {word}"


def _debugs(service: Service, texts: Mapping[str, str]) -> Iterator[str]:
    for name in _DEBUG_VARIABLES:
        if service.environment.get(name, "").lower() not in _OFF:
            yield f"{locate(texts, service.name, ['environment'], name)} sets {name} for {service.name}"
