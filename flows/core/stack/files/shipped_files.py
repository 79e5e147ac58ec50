"""The files that belong to a release: all that the compose files refer to, at the same relative places."""

import os.path
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from flows.core.stack.compose_files import scalars
from flows.core.stack.files.mounts import Rule, find_mounts, settle_state
from flows.core.stack.files.secret_modes import MountedSecret, copied, modes_of, mounted_secrets
from flows.core.stack.stack import Stack, inside

ENV_FILE = ".env"


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
        shipped: files and directories that services only read, and those that Compose reads for them (seccomp).
        environment_files: come from the environment block, never from the source.
        state: paths that services write to; they outlive releases, and what the repository has there comes with them.
        host_paths: absolute paths of the droplet itself, left alone.
        readers: service → the shipped paths it reads, and the parts of the state that it mounts.
        secret_readers: service → the secret files it mounts.
        secret_mounts: each of these mounts, with its mode.
        writers: path of the state → the services that write there.
        rules: path → what becomes of a file there that both the release and a service have changed.
    """

    root: str
    compose_files: tuple[str, ...]
    shipped: tuple[str, ...]
    environment_files: tuple[EnvironmentFile, ...]
    state: tuple[str, ...]
    host_paths: tuple[str, ...]
    readers: Mapping[str, tuple[str, ...]]
    secret_readers: Mapping[str, tuple[str, ...]]
    secret_mounts: tuple[MountedSecret, ...] = ()
    writers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)

    @property
    def needed(self) -> tuple[EnvironmentFile, ...]:
        """The environment files, their paths relative to the root."""
        return tuple(e.model_copy(update={"path": self.relative(e.path)}) for e in self.environment_files)

    @property
    def secret_copies(self) -> tuple[MountedSecret, ...]:
        """The mounts of secrets that need a file of their own, because their mode is another; paths as in `needed`."""
        modes = {entry.path: entry.mode for entry in self.environment_files}
        found = copied(self.secret_mounts, modes)
        return tuple(mount.model_copy(update={"path": self.relative(mount.path)}) for mount in found)

    @property
    def directory(self) -> str:
        """The first compose file's directory, relative to the root; '' when it is the root."""
        return os.path.dirname(self.relative(self.compose_files[0]))

    def relative(self, path: str) -> str:
        return os.path.relpath(path, self.root)

    def called(self, path: str) -> str:
        """What a mounted path is called wherever the checkout lies: the stack's own have no place of this host."""
        return self.relative(path) if any(inside(path, one) for one in (*self.shipped, *self.state)) else path

    def given(self, modes: Mapping[str, int]) -> "StackFiles":
        """The same, where these files come from the environment block, with these modes.

        A mounted file among them is neither shipped nor state any more.
        """
        files = [e.model_copy(update={"mode": modes.get(e.path, e.mode)}) for e in self.environment_files]
        known = {entry.path for entry in files}
        files += [EnvironmentFile(path=p, secret=True, mode=m) for p, m in modes.items() if p not in known]
        mounted = {s: tuple(p for p in paths if p in modes) for s, paths in self.readers.items()}
        secret_readers = {
            service: tuple(dict.fromkeys((*self.secret_readers.get(service, ()), *mounted.get(service, ()))))
            for service in {**self.secret_readers, **mounted}
        }
        return replace(
            self,
            environment_files=tuple(files),
            shipped=tuple(path for path in self.shipped if path not in modes),
            state=tuple(path for path in self.state if path not in modes),
            secret_readers={service: paths for service, paths in secret_readers.items() if paths},
        )


def find_stack_files(
    stack: Stack,
    project: str,
    files: tuple[str, ...],
    environment_files: Iterable[EnvironmentFile],
    texts: Iterable[str],
    volumes: Mapping[str, Any] | None = None,
) -> StackFiles:
    """Find the files that a stack refers to, by what happens to them.

    Args:
        project: the compose project's directory.
        files: all compose files.
        environment_files: the `env_file` entries, absolute.
        texts: the compose files' texts; a path that is absolute in them is the droplet's, not the stack's.
        volumes: `volumes:` of the resolved stack.

    Raises:
        BrokenStack: a service writes to a directory that holds the compose files.
        BadExtension: `x-slipway.mounts` does not fit the mounts.
    """
    spoken = [scalar for text in texts for scalar in scalars(text)]
    above = _above(spoken, (project, *map(os.path.dirname, files)))

    def of_the_stack(path: str) -> bool:
        literal = any(scalar == path or scalar.startswith(f"{path}:") for scalar in spoken)
        return not literal and f"{path}/".startswith(above)

    mounts = find_mounts(stack, project, volumes)
    profiles = {
        name: tuple(os.path.normpath(os.path.join(project, p)) for p in service.seccomp if not p.startswith("/"))
        for name, service in stack.services.items()
    }
    configs: dict[str, tuple[str, ...]] = {}
    secrets = mounted_secrets(stack)
    secret_mounts = tuple(mount for mount in secrets if of_the_stack(mount.path))
    secret_readers: dict[str, tuple[str, ...]] = {}
    for service in stack.services.values():
        configs[service.name] = tuple(
            stack.config_files[name] for name in service.configs if name in stack.config_files
        )
        paths = (mount.path for mount in secret_mounts if mount.service == service.name)
        secret_readers[service.name] = tuple(dict.fromkeys(paths))
    written = {path for paths in mounts.written.values() for path in paths if of_the_stack(path)}
    read = dict.fromkeys(p for name in stack.services for p in (*configs[name], *mounts.read[name]) if of_the_stack(p))
    read |= dict.fromkeys(path for paths in profiles.values() for path in paths)
    state = settle_state(read, written, (project, *files))
    needed = (
        *environment_files,
        *(EnvironmentFile(path=path, secret=True, mode=mode) for path, mode in modes_of(secret_mounts).items()),
    )
    shipped = tuple(path for path in read if not any(inside(path, one) for one in state))
    if any(inside(dotenv := os.path.join(project, ENV_FILE), path) for path in (*shipped, *state)):
        needed = (*needed, EnvironmentFile(path=dotenv, required=False))
    others = dict.fromkeys(path for path in (*mounts.paths, *(s.path for s in secrets)) if not of_the_stack(path))
    everything = [project, *files, *shipped, *state, *(entry.path for entry in needed)]
    mine = {n: (*configs[n], *mounts.read[n], *mounts.written[n]) for n in stack.services}
    readers = {name: (*filter(of_the_stack, paths), *profiles[name]) for name, paths in mine.items()}
    return StackFiles(
        root=os.path.commonpath([os.path.dirname(p) if p != project else p for p in everything]),
        compose_files=files,
        shipped=shipped,
        environment_files=_merged(needed),
        state=state,
        host_paths=tuple(others),
        readers={name: tuple(dict.fromkeys(paths)) for name, paths in readers.items()},
        secret_readers={name: paths for name, paths in secret_readers.items() if paths},
        secret_mounts=secret_mounts,
        writers={
            path: tuple(n for n in sorted(stack.services) if path in map(os.path.normpath, mounts.written[n]))
            for path in sorted(written)
        },
        rules=mounts.rules,
    )


def _merged(entries: Iterable[EnvironmentFile]) -> tuple[EnvironmentFile, ...]:
    """Each file once: one that is an env file and a secret is needed where either needs it, with the secret's mode."""
    found: dict[str, EnvironmentFile] = {}
    for entry in entries:
        known = found.get(entry.path)
        found[entry.path] = EnvironmentFile(
            path=entry.path,
            required=entry.required or bool(known and known.required),
            secret=entry.secret or bool(known and known.secret),
            mode=known.mode if known and known.secret else entry.mode,
        )
    return tuple(found.values())


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
