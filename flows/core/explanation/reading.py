"""What was read of a stack to explain it: both forms of its compose files, and what lies around them."""

import os.path
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.core.stack.files.shipped_files import StackFiles
from flows.core.stack.stack import Stack

# Stand in for what only a release knows. They are shown as REGISTRY and TAG.
HOST, TAG = "registry.slipway.invalid", "tag.slipway.invalid"


@dataclass(frozen=True)
class EnvFile:
    """An env file of a service, an include or the project.

    Args:
        names: the variables it holds; None: it is not here.
        services: who is given it; none for one that the compose files are interpolated with.
    """

    path: str
    names: tuple[str, ...] | None
    required: bool = True
    services: tuple[str, ...] = ()
    on_droplet: bool = False
    interpolates: bool = False


@dataclass(frozen=True)
class MountedContent:
    """What of the source ships with a path that services mount.

    Args:
        given: the files there whose content the environment block holds, and `left_out` what stays behind, with the
            reason; absolute paths.
    """

    files: int = 0
    size: int = 0
    given: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadStack:
    """A stack as it was read here.

    Args:
        directory: the project's directory; paths are shown from it.
        config: as Compose resolved it, what is not set taken for empty.
        written: with its variables as they are written, all profiles switched on.
        texts: absolute path of a compose file → its text.
        env_files: of services, includes and the project.
        include_env: compose file that is included → the env files that it is interpolated with.
        variables: name → value, of the project's env file.
        variables_from: that file, as it is shown.
        unset: the variables that a release would refuse because nobody set them.
        shell: names that the shell has which asks.
        profiles: those that are switched on, each with what switched it on.
        mounted: absolute path → what ships with it; none: that could not be found out, and is refused.
        astray: mounts that a release refuses because of where they are.
        readiness_delay: seconds a service without healthcheck must keep running.
    """

    stack: Stack
    sources: StackFiles
    directory: str
    config: Mapping[str, Any]
    written: Mapping[str, Any]
    texts: Mapping[str, str]
    env_files: Sequence[EnvFile] = ()
    include_env: Mapping[str, Sequence[str]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    variables_from: str = ".env"
    unset: Sequence[str] = ()
    shell: frozenset[str] = frozenset()
    profiles: Mapping[str, str] = field(default_factory=dict)
    mounted: Mapping[str, MountedContent] = field(default_factory=dict)
    astray: frozenset[str] = frozenset()
    readiness_delay: float = 2.0

    def shown(self, path: str) -> str:
        """A path of the checkout, from the project's directory."""
        return os.path.relpath(path, self.directory)

    def spec(self, service: str) -> Mapping[str, Any]:
        """A service with its variables as they are written."""
        found: Mapping[str, Any] = (self.written.get("services") or {}).get(service) or {}
        return found


def shown_reference(reference: str) -> str:
    """An image's name with words in place of what only a release knows."""
    return reference.replace(HOST, "REGISTRY").replace(TAG, "TAG")
