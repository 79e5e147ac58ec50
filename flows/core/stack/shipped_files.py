"""The files that belong to a release: all that the compose files refer to, at the same relative places."""

import os.path
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from flows.core.errors import BrokenStack
from flows.core.stack.compose_files import scalars
from flows.core.stack.stack import Stack, inside

PRIVATE = 0o600


class EnvironmentFile(BaseModel):
    """An env file or secret file that the stack needs. It is never shipped: the environment block holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    required: bool = True
    secret: bool = False
    mode: int = 0o600


@dataclass(frozen=True)
class StackFiles:
    """The files that a stack refers to on the build host; all paths are absolute.

    Args:
        root: the directory that all of it lies below.
        compose_files: those given, in order, first; then the included and extended ones.
        shipped: files and directories that services read.
        environment_files: come from the environment block, never from the source.
        state: paths that services write to.
        host_paths: absolute paths of the droplet itself, left alone.
        readers: service → the shipped paths it reads.
        secret_readers: service → the secret files it mounts.
    """

    root: str
    compose_files: tuple[str, ...]
    shipped: tuple[str, ...]
    environment_files: tuple[EnvironmentFile, ...]
    state: tuple[str, ...]
    host_paths: tuple[str, ...]
    readers: Mapping[str, tuple[str, ...]]
    secret_readers: Mapping[str, tuple[str, ...]]

    @property
    def needed(self) -> tuple[EnvironmentFile, ...]:
        """The environment files, their paths relative to the root."""
        return tuple(e.model_copy(update={"path": self.relative(e.path)}) for e in self.environment_files)

    @property
    def directory(self) -> str:
        """The first compose file's directory, relative to the root; '' when it is the root."""
        return os.path.dirname(self.relative(self.compose_files[0]))

    def relative(self, path: str) -> str:
        return os.path.relpath(path, self.root)


def find_stack_files(
    stack: Stack,
    project: str,
    files: tuple[str, ...],
    environment_files: Iterable[EnvironmentFile],
    texts: Iterable[str],
) -> StackFiles:
    """Find the files that a stack refers to, by what happens to them.

    Args:
        project: the compose project's directory.
        files: all compose files.
        environment_files: the `env_file` entries, absolute.
        texts: the compose files' texts; a path that is absolute in them is the droplet's, not the stack's.

    Raises:
        BrokenStack: a service writes to a directory that holds the compose files.
    """
    spoken = [scalar for text in texts for scalar in scalars(text)]
    above = _above(spoken, (project, *map(os.path.dirname, files)))

    def of_the_stack(path: str) -> bool:
        literal = any(scalar == path or scalar.startswith(f"{path}:") for scalar in spoken)
        return not literal and f"{path}/".startswith(above)

    shipped: dict[str, None] = {}
    state: dict[str, None] = {}
    host: dict[str, None] = {}
    readers: dict[str, tuple[str, ...]] = {}
    secrets: dict[str, int] = {}
    secret_readers: dict[str, tuple[str, ...]] = {}
    for service in stack.services.values():
        for mount in service.mounts:
            if mount.kind != "bind":
                continue
            if not of_the_stack(mount.source):
                host[mount.source] = None
            elif mount.read_only:
                shipped[mount.source] = None
            else:
                state[mount.source] = None
        configs = [stack.config_files[name] for name in service.configs if name in stack.config_files]
        shipped |= dict.fromkeys(path for path in configs if of_the_stack(path))
        modes = {stack.secret_files[name]: mode for name, mode in service.secrets.items() if name in stack.secret_files}
        secrets |= {path: secrets.get(path, 0) | (mode or PRIVATE) for path, mode in modes.items()}
        secret_readers[service.name] = tuple(path for path in modes if of_the_stack(path))
        read = (*configs, *(m.source for m in service.mounts if m.kind == "bind" and m.read_only))
        readers[service.name] = tuple(path for path in read if path in shipped)
    for path in state:
        if any(inside(file, path) for file in (project, *files)):
            raise BrokenStack(
                f"a service writes to {path}, which holds the stack's compose files. What is written outlives a "
                "release, so it cannot be inside one: mount a directory below it, or a named volume"
            )
    own_secrets = [path for path in secrets if of_the_stack(path)]
    host |= dict.fromkeys(path for path in secrets if path not in own_secrets)
    needed = (
        *environment_files,
        *(EnvironmentFile(path=path, secret=True, mode=secrets[path]) for path in own_secrets),
    )
    everything = [project, *files, *shipped, *state, *(entry.path for entry in needed)]
    return StackFiles(
        root=os.path.commonpath([os.path.dirname(p) if p != project else p for p in everything]),
        compose_files=files,
        shipped=tuple(shipped),
        environment_files=tuple(dict.fromkeys(needed)),
        state=tuple(state),
        host_paths=tuple(host),
        readers=readers,
        secret_readers={name: paths for name, paths in secret_readers.items() if paths},
    )


def _above(spoken: Iterable[str], bases: Iterable[str]) -> tuple[str, ...]:
    """The prefixes of the stack's own paths: the compose files' directories, and where `..` leads from them.

    A path of a droplet that comes from a variable (`${DATA}:/data`) begins with none of these.
    """
    upward = [scalar.split(":")[0] for scalar in spoken if scalar.startswith("..")]
    prefixes = [f"{base}/" for base in bases]
    for base in dict.fromkeys(prefixes):
        for path in dict.fromkeys(upward):
            known, variable, _ = path.partition("$")
            head, _, tail = known.rpartition("/") if variable else (known, "", "")
            prefixes.append(os.path.join(os.path.normpath(os.path.join(base, head)), tail))
    return tuple(prefix for prefix in prefixes if prefix != "/")
