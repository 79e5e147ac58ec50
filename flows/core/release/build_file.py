"""The build file: a compose file that builds each image once, under the name it is published by."""

from collections.abc import Iterable, Mapping
from typing import Any

from flows.core.release.image_plan import ImagePlan
from flows.core.stack.compose_yaml import dump_compose


def build_file(config: Mapping[str, Any], plan: ImagePlan, wanted: Iterable[str]) -> bytes:
    """The build file of a stack.

    The stack's own files need its env files too, and build an image that three services share three times.

    Args:
        config: the stack as `docker compose config` printed it (its `$$` kept).
        plan: which service makes which image.
        wanted: the services whose images are to be built.
    """
    makers = {
        plan.built[plan.services[name]]: plan.services[name] for name in wanted if plan.services[name] in plan.built
    }
    services = {
        maker: {"image": target.replace("$", "$$"), **_picked(config["services"][maker])}
        for maker, target in sorted(makers.items())
    }
    used = {
        secret["source"] if isinstance(secret, Mapping) else secret
        for service in services.values()
        for secret in _build_secrets(service["build"])
    }
    secrets = {name: spec for name, spec in (config.get("secrets") or {}).items() if name in used}
    document: dict[str, Any] = {"name": config["name"], "services": services}
    if secrets:
        document["secrets"] = secrets
    return dump_compose(document)


def _picked(service: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that a build needs; `platform` counts where `build` names none."""
    return {key: service[key] for key in ("build", "platform") if key in service}


def _build_secrets(build: Any) -> Iterable[Any]:
    return (build.get("secrets") or ()) if isinstance(build, Mapping) else ()
