"""Holds a droplet's reading of a stack against one made here from the same release and environment."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect.logging import get_run_logger

from flows.core.droplet.directories import SECRETS
from flows.core.errors import BrokenStack, ReadingsDiffer
from flows.core.release.bundle import FILES, OVERRIDE, File
from flows.core.release.release import Release
from flows.core.stack.comparison import Difference, differences
from flows.core.stack.compose_files import collect_files
from flows.core.stack.compose_yaml import load_config
from flows.settings import Settings
from flows.tasks.build_host import run_alone
from flows.tasks.runs.log_masking import mask
from flows.tasks.stack import env_file
from flows.tasks.stack.env_file import (
    env_files_of_services,
    env_files_of_the_droplet,
    services_with,
    without_env_files,
)
from flows.tasks.stack.reading import ComposeReader, refuse_unset, unset_variables

_SHOWN = 20


@dataclass(frozen=True)
class Reading:
    """A stack as this host resolves it.

    Args:
        unknown: services whose environment only the droplet knows, for an env file of its own is in it.
    """

    config: Mapping[str, Any]
    unknown: frozenset[str] = frozenset()


def read_here(
    release: Release, content: Mapping[str, File], variables: Mapping[str, str], settings: Settings
) -> Reading | None:
    """What Compose resolves a release to here, as its droplet does; None where this host has no Compose.

    Args:
        content: what is put on the droplet, by its path in the release's directory.

    Raises:
        UnsetVariables, BrokenStack
    """
    given = [f"/{posixpath.join(FILES, file)}" for file in release.compose_files]
    reader = ComposeReader(settings, variables)
    read_too = [OVERRIDE, SECRETS, *(posixpath.join(FILES, entry.path) for entry in release.environment_files)]
    files = [*given, *(f"/{name}" for name in (OVERRIDE, SECRETS) if name in content)]
    try:
        texts = collect_files(given, lambda path: content[path.lstrip("/")].content.decode(), reader.resolve)
        contents = {path: text.encode() for path, text in texts.items()}
        contents |= {f"/{name}": content[name].content for name in read_too if name in content}
        services = env_files_of_services(given, contents, release.profiles, reader)
        if own := env_files_of_the_droplet(services, texts.values()):
            directory = posixpath.dirname(given[0])
            files.append(posixpath.join(directory, env_file.OVERRIDE))
            contents[files[-1]] = without_env_files(services, own, directory)
        config = reader.read(files, contents, release.profiles, project=release.stack, who=_who(release))
    except BrokenStack:
        if compose_version(settings):
            raise
        return None
    return Reading(config, services_with(services, own))


def compare_readings(
    release: Release,
    here: Reading | None,
    printed: str,
    warnings: str,
    *,
    there: tuple[str, str],
    settings: Settings,
) -> None:
    """Refuse a droplet that reads another stack than this host does.

    Args:
        here: as `read_here` returned it.
        printed: the stack as the droplet's Compose resolved it, its directory's path left out; and what it warned of.
        there: the droplet's name, and its version of Compose.

    Raises:
        ReadingsDiffer: with each field; nothing that runs was touched.
        UnsetVariables
    """
    droplet, their_version = there
    if here is None:
        get_run_logger().warning("there is no Docker Compose on this worker: the droplet's reading is not compared")
        refuse_unset(unset_variables(warnings), _who(release))
        return
    resolved = load_config(printed)
    if not _differences(here, resolved):
        return
    version = compose_version(settings)
    if found := _differences(here, resolved, same_version=version == their_version):
        shown = "; ".join(mask(str(one)) for one in found[:_SHOWN])
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ReadingsDiffer(
            f"this host and droplet {droplet} do not read stack {release.stack} alike: {shown}{more}. "
            f"Nothing that runs was changed. Compose is {version} here and {their_version} there"
        )


def _differences(here: Reading, there: Mapping[str, Any], *, same_version: bool = True) -> list[Difference]:
    unknown = tuple(f"services.{name}.environment" for name in here.unknown)
    found = differences(here.config, there, same_version=same_version)
    return [difference for difference in found if not difference.field.startswith(unknown)]


def _who(release: Release) -> str:
    return f"stack {release.stack} uses"


def compose_version(settings: Settings) -> str:
    """Version of Compose on this host; '' when there is none."""
    answer = run_alone([settings.docker, "compose", "version", "--short"])
    return answer.stdout.strip() if answer.returncode == 0 else ""
