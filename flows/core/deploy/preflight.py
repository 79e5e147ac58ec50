"""The preflight: whether a droplet can take a release, decided before anything on it changes."""

from collections.abc import Collection, Mapping
from shlex import quote
from typing import Any

from flows.core.answers import reads
from flows.core.deploy.facts import Facts
from flows.core.droplet.versions import MINIMUM_COMPOSE, MINIMUM_ENGINE, dotted, is_older, version
from flows.core.registry.references import engine_name
from flows.core.release.release import Layer, Release

# A compressed layer takes up to about three times its size once unpacked, and is on the disk twice meanwhile.
UNPACKED = 3
RESERVE = 256 * 1024 * 1024


def preflight_problems(release: Release, facts: Facts, previous: Release | None) -> list[str]:
    """The reasons why this droplet cannot take this release, as sentences; none: it can."""
    if not facts.engine:
        return ["no Docker Engine answers: install it, or start it with `systemctl start docker`"]
    found = []
    if version(facts.engine) < MINIMUM_ENGINE:
        found.append(f"its Docker Engine is {facts.engine}; Slipway needs {dotted(MINIMUM_ENGINE)} or later")
    if not facts.compose:
        found.append("it has no Compose v2: install the package docker-compose-plugin (or docker-compose)")
    elif version(facts.compose) < MINIMUM_COMPOSE:
        found.append(f"its Compose is {facts.compose}; Slipway needs {dotted(MINIMUM_COMPOSE)} or later")
    else:
        found += older_compose(facts.compose, release.compose_needs)
    found += _wrong_platform(release, facts)
    needed = sum(layer.size for layer in layers_to_pull(release, facts, previous)) * UNPACKED
    if missing_images(release, facts.present) and facts.free < needed + RESERVE:
        found.append(
            f"{_mb(facts.free)} are free and about {_mb(needed + RESERVE)} are needed: "
            "free some with `docker image prune`, or give the droplet a larger disk"
        )
    return found


def layers_to_pull(release: Release, facts: Facts, previous: Release | None) -> list[Layer]:
    """The layers of missing images, each once, without those of the release that the droplet runs."""
    there = layers_there(release, facts, previous)
    missing = {
        layer.digest: layer
        for reference in missing_images(release, facts.present)
        for layer in release.images[reference].layers
        if layer.digest not in there
    }
    return list(missing.values())


def layers_there(release: Release, facts: Facts, previous: Release | None) -> set[str]:
    """The digests of layers that are known to be on the droplet: of what it runs, and of images that it has."""
    there = {layer.digest for image in (previous.images.values() if previous else ()) for layer in image.layers}
    return there | {
        layer.digest
        for reference, image in release.images.items()
        if engine_name(reference) in facts.present
        for layer in image.layers
    }


def missing_images(release: Release, present: Collection[str]) -> list[str]:
    """The image references of the release that are not present on the droplet."""
    return sorted(ref for ref in set(release.services.values()) if engine_name(ref) not in present)


def older_compose(have: str, needs: Mapping[str, str]) -> list[str]:
    """What a stack asks of Compose that this version does not know, in sentences.

    Args:
        needs: field with its place → the version that brought it.
    """
    return [
        f"its Compose is {have}, and {field} needs {needed} or later: update docker-compose-plugin (docker-compose)"
        for field, needed in needs.items()
        if is_older(have, needed)
    ]


@reads("what Compose made of the stack on the droplet")
def missing_external(config: Mapping[str, Any], facts: Facts, home: Collection[str] = ()) -> list[str]:
    """The networks and volumes that a droplet must have (`external: true`) and has not, in sentences.

    Args:
        config: what runs on the droplet, as its own Compose resolved it: their names may come from its variables.
        home: the names of those that the data home of the same droplet makes.
    """
    kinds = (("network", "networks", facts.networks), ("volume", "volumes", facts.volumes))
    return [
        f"it has no {kind} {called}, which the data home makes (for {', '.join(services)}). "
        "Put that there first: slipway deploy-home --tag TAG"
        if called in home
        else f"it has no {kind} {called}, which is external to the stack (for {', '.join(services)}). "
        f"Create it there: docker {kind} create {quote(called)}"
        for kind, field, there in kinds
        if there is not None
        for called, services in sorted(_external(config, field).items())
        if called not in there
    ]


def _external(config: Mapping[str, Any], field: str) -> dict[str, list[str]]:
    """Name on the droplet → the services that use it, of those networks or volumes that are external."""
    found: dict[str, list[str]] = {}
    for service, spec in sorted(config["services"].items()):
        entries = spec.get(field) or ()
        used = [e.get("source") for e in entries if e.get("type") == "volume"] if field == "volumes" else entries
        for name in dict.fromkeys(used):
            known = (config.get(field) or {}).get(name) or {}
            if known.get("external"):
                found.setdefault(str(known.get("name") or name), []).append(service)
    return found


def _wrong_platform(release: Release, facts: Facts) -> list[str]:
    wrong = sorted(
        f"{service} ({', '.join(platforms)})"
        for service, reference in release.services.items()
        if (platforms := release.images[reference].platforms) and not _fits(facts.platform, platforms)
    )
    if not wrong:
        return []
    return [
        f"it is {facts.platform}, and these images are not: {', '.join(wrong)}. "
        f"Build for it: `platforms: [{facts.platform}]` in each service's `build:`"
    ]


def _fits(platform: str, offered: tuple[str, ...]) -> bool:
    return any(entry == platform or entry.startswith(f"{platform}/") for entry in offered)


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
