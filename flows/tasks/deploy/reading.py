"""Holds a droplet's reading of a stack against one made here from the same release and environment."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prefect.logging import get_run_logger

from flows.core.droplet.directories import SECRETS
from flows.core.errors import ReadingsDiffer
from flows.core.release.bundle import FILES, OVERRIDE, File
from flows.core.release.release import Release
from flows.core.stack.comparison import differences
from flows.core.stack.compose_files import collect_files
from flows.core.stack.compose_yaml import load_config
from flows.settings import Settings
from flows.tasks.build_host import run_alone
from flows.tasks.runs.log_masking import mask
from flows.tasks.stack import droplet_env_files
from flows.tasks.stack.droplet_env_files import (
    env_files_of_services,
    env_files_of_the_droplet,
    services_with,
    without_env_files,
)
from flows.tasks.stack.reading import ComposeReader, refuse_unset, unset_variables

_SHOWN = 20


@dataclass(frozen=True)
class Reading:
    """A stack as this host resolves it, and its version of Compose; '' where it has none.

    Args:
        unknown: services whose environment only the droplet knows, for an env file of its own is in it.
    """

    config: Mapping[str, Any]
    version: str
    unknown: frozenset[str] = frozenset()


def read_here(
    release: Release, content: Mapping[str, File], variables: Mapping[str, str], settings: Settings
) -> Reading:
    """Resolve a release here as its droplet does.

    Args:
        content: what is put on the droplet, by its path in the release's directory.

    Raises:
        UnsetVariables, BrokenStack
    """
    version = compose_version(settings)
    if not version:
        return Reading({}, "")
    given = [f"/{posixpath.join(FILES, file)}" for file in release.compose_files]
    reader = ComposeReader(settings, variables)
    texts = collect_files(given, lambda path: content[path.lstrip("/")].content.decode(), reader.resolve)
    contents = {path: text.encode() for path, text in texts.items()}
    read_too = [OVERRIDE, SECRETS, *(posixpath.join(FILES, entry.path) for entry in release.environment_files)]
    contents |= {f"/{name}": content[name].content for name in read_too if name in content}
    services = env_files_of_services(given, contents, release.profiles, reader)
    own = env_files_of_the_droplet(services, texts.values())
    files = [*given, *(f"/{name}" for name in (OVERRIDE, SECRETS) if name in content)]
    if own:
        directory = posixpath.dirname(given[0])
        files.append(posixpath.join(directory, droplet_env_files.OVERRIDE))
        contents[files[-1]] = without_env_files(services, own, directory)
    config = reader.read(files, contents, release.profiles, project=release.stack, who=_who(release))
    return Reading(config, version, services_with(services, own))


def compare_readings(release: Release, here: Reading, printed: str, warnings: str, *, there: tuple[str, str]) -> None:
    """Refuse a droplet that reads another stack than this host does.

    Args:
        printed: the stack as the droplet's Compose resolved it, its directory's path left out; and what it warned of.
        there: the droplet's name, and its version of Compose.

    Raises:
        ReadingsDiffer: with each field; nothing that runs was touched.
        UnsetVariables
    """
    droplet, their_version = there
    if not here.version:
        get_run_logger().warning("there is no Docker Compose on this worker: the droplet's reading is not compared")
        refuse_unset(unset_variables(warnings), _who(release))
        return
    alike = here.version == their_version
    unknown = tuple(f"services.{name}.environment" for name in here.unknown)
    found = [
        difference
        for difference in differences(here.config, load_config(printed), same_version=alike)
        if not difference.field.startswith(unknown)
    ]
    if found:
        shown = "; ".join(mask(str(one)) for one in found[:_SHOWN])
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ReadingsDiffer(
            f"this host and droplet {droplet} do not read stack {release.stack} alike: {shown}{more}. "
            f"Nothing that runs was changed. Compose is {here.version} here and {their_version} there"
        )


def _who(release: Release) -> str:
    return f"stack {release.stack} uses"


def compose_version(settings: Settings) -> str:
    """Version of Compose on this host; '' when there is none."""
    answer = run_alone([settings.docker, "compose", "version", "--short"])
    return answer.stdout.strip() if answer.returncode == 0 else ""
