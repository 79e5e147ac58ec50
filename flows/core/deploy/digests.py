"""The comparison of running containers with the release, by digest."""

from collections.abc import Iterable, Mapping

from flows.core.droplet.containers import Container, by_service
from flows.core.registry.references import engine_name


def digest_mismatches(
    services: Mapping[str, str], containers: Iterable[Container], digests: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """The differences between the containers and the release, in sentences; none: exactly the release runs.

    Args:
        services: service → `repository@sha256:…` of the release.
        containers: what the engine has.
        digests: image id → the repository digests the engine knows it by.
    """
    found = by_service(containers)
    wrong = []
    for service, wanted in sorted(services.items()):
        if not found.get(service):
            wrong.append(f"{service} has no container")
        for container in found.get(service, ()):
            have = digests.get(container.image_id, ())
            if engine_name(wanted) not in have:
                wrong.append(f"{container.name} runs {', '.join(have) or container.image_id}, not {wanted}")
    orphans = sorted(set(found) - set(services))
    return wrong + [f"{service} runs, and is not part of the release" for service in orphans]
