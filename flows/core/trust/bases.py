"""The images that builds start or copy from, and how their content was known to the engine that built."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flows.core.answers import reads
from flows.core.registry.references import engine_name, is_digest, split_host, split_reference

# A step of BuildKit's plain progress: `#5 [web a 1/2] FROM docker.io/library/debian:13@sha256:…`.
_STEP = re.compile(r"^#\d{1,9} (?:\[[^\]]{0,300}\] )?FROM (\S{1,1000})@(sha256:[0-9a-f]{64})(?:\s|$)")


@dataclass(frozen=True)
class BaseImage:
    """A base image: its reference as the Dockerfile has it, its registry digest, or else the engine's id of it."""

    reference: str
    digest: str = ""
    image_id: str = ""


def logged_digests(lines: Iterable[str]) -> dict[str, str]:
    """Reference → digest, by what a build says of the images that it fetched or had in its cache."""
    found: dict[str, str] = {}
    for line in lines:
        if step := _STEP.match(line):
            found.setdefault(_familiar(step[1]), step[2])  # a build prints what it likes, but only once it has started
    return found


@reads("what `docker image inspect` printed on the build host")
def known_base(reference: str, logged: Mapping[str, str], printed: str | None) -> BaseImage:
    """A base image, by what is known of it: its own digest, the build's log, then the engine.

    Args:
        printed: by `docker image inspect` of it; None where the engine has no such image.

    Raises:
        UnreadableAnswer: what it printed is not of that form.
    """
    repository, named = split_reference(reference)
    digest = named if is_digest(named) else logged.get(_familiar(reference), "")
    if digest or printed is None:
        return BaseImage(reference, digest)
    inspected = json.loads(printed)[0]
    listed = [str(entry) for entry in inspected.get("RepoDigests") or ()]
    mine = [found for entry in listed if is_digest(found := split_reference(entry)[1])
            and engine_name(f"{repository}@{found}") == entry]  # fmt: skip
    image_id = str(inspected.get("Id") or "")
    return BaseImage(reference, mine[0]) if mine else BaseImage(reference, "", image_id if is_digest(image_id) else "")


def foreign_bases(references: Sequence[str], own: Iterable[str]) -> list[str]:
    """The references that lead out of the stack: `own` are the names by which its builds know each other's images."""
    names = {_familiar(name) for name in own}
    return [reference for reference in dict.fromkeys(references) if _familiar(reference) not in names]


def _familiar(reference: str) -> str:
    """The whole name of an image: with registry and tag, however it is written."""
    repository, tag = split_reference(reference)
    host, path = split_host(repository)
    return f"{'docker.io' if host == 'index.docker.io' else host}/{path}:{tag}"
