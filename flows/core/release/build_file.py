"""A compose file that holds nothing but what is built: each image once, under the name it is published by."""

from collections.abc import Iterable, Mapping
from typing import Any

from flows.core.release.build_order import Bases, additional_contexts, is_service
from flows.core.release.image_plan import ImagePlan
from flows.core.stack.builds.build_needs import ssh_entries
from flows.core.stack.compose_yaml import dump_compose

_IMAGE = "docker-image://"


def build_file(document: Mapping[str, Any]) -> bytes:
    """The document of `build_document` as Compose reads it."""
    return dump_compose(document)


def build_document(
    config: Mapping[str, Any], plan: ImagePlan, makers: Iterable[str], bases: Bases, secrets: Mapping[str, Any]
) -> dict[str, Any]:
    """What the build file says.

    The stack's own files would do for a stack that uses `${REGISTRY}`, but they also ask for env files, and build an
    image that three services share three times.

    Args:
        config: the stack as `docker compose config` printed it (its `$$` kept).
        plan: which service makes which image.
        makers: the services whose builds are run.
        bases: the images of the stack that each of them starts from.
        secrets: what it says of each secret that these builds read.
    """
    targets = {maker: target for target, maker in plan.built.items()}
    services = {
        maker: {"image": _escape(targets[maker]), **_build(config["services"][maker], bases[maker])}
        for maker in sorted(makers)
    }
    document: dict[str, Any] = {"name": config["name"], "services": services}
    if secrets:
        document["secrets"] = dict(secrets)
    return document


def dropped_platforms(service: Mapping[str, Any]) -> tuple[str, ...]:
    """The platforms a service's build names that are not built: where it names several, the engine's own is, or the
    one of `platform:`, as `docker compose up` builds it."""
    platforms = tuple((service.get("build") or {}).get("platforms") or ())
    return platforms if len(platforms) > 1 and not service.get("platform") else ()


def _build(service: Mapping[str, Any], bases: Mapping[str, str]) -> dict[str, Any]:
    """What Compose builds by; `platform` is the one built for where `build` names none."""
    build = dict(service["build"])
    if "args" in build:  # one without a value, Compose would take from the environment of the build command
        build["args"] = {name: value for name, value in build["args"].items() if value is not None}
    kept = {name: context for name, context in additional_contexts(build).items() if not is_service(context)}
    if contexts := {**{name: _IMAGE + _escape(target) for name, target in bases.items()}, **kept}:
        build["additional_contexts"] = contexts
    if ssh := ssh_entries(build):
        build["ssh"] = ssh
    if service.get("platform") in (build.get("platforms") or ()):
        build["platforms"] = [service["platform"]]
    elif dropped_platforms(service):
        del build["platforms"]
    return {"build": build, **({"platform": service["platform"]} if service.get("platform") else {})}


def _escape(reference: str) -> str:
    return reference.replace("$", "$$")
