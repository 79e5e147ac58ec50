"""The Compose project of a checkout: its files, its name, and what Compose needs to read it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.core.errors import BrokenStack, StackNotFound
from flows.core.quotation import quoted_line
from flows.core.release.tree import shown
from flows.core.stack.compose_files import collect_files, documents_of, included_env_files
from flows.core.stack.files.shipped_files import EnvironmentFile
from flows.core.stack.refused.unsupported import refuse_label_files
from flows.core.stack.variables import FILE, PROJECT_NAME, active_profiles, is_project_name, named_files
from flows.settings import Settings
from flows.tasks.stack.env_file import (
    OWN_OVERRIDE,
    env_files_of_services,
    env_files_of_the_droplet,
    read_env_file,
    read_private,
    without_env_files,
)
from flows.tasks.stack.reading import ComposeReader
from flows.tasks.stack.source_roots import refuse_not_allowed

_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")


def find_compose_files(stack: str, variables: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The compose files that `--stack` means (absolute): a file, several joined by ':', or a directory with one.

    A directory's COMPOSE_FILE is followed, as Compose does that is called there.

    Args:
        variables: the stack's own; default: those of the directory's `.env`.

    Raises:
        StackNotFound
        OutsideSource: the setting `source_roots` does not allow it.
    """
    files: list[str] = []
    for part in stack.split(os.pathsep):
        refuse_not_allowed(part, Settings())
        path = Path(part).resolve()
        if path.is_dir():
            named = named_files(str(path), local_variables(path, FILE) if variables is None else variables)
            found = list(named) or [str(path / name) for name in _NAMES if (path / name).is_file()][:1]
            if not found:
                raise StackNotFound(
                    f"{part}: no compose file in this directory ({', '.join(_NAMES)}). Give --stack PATH"
                )
            if missing := [file for file in found if not Path(file).is_file()]:
                raise StackNotFound(f"{', '.join(missing)}: named by COMPOSE_FILE, and not there")
            files += found
        elif path.is_file():
            files.append(str(path))
        else:
            raise StackNotFound(f"{part}: no such compose file. Give --stack PATH, a compose file or its directory")
    return tuple(files)


def local_variables(directory: Path, needed: str) -> dict[str, str]:
    """The variables of a directory's `.env`, where it speaks of the one that is needed."""
    file = directory / ".env"
    try:
        speaks = needed in file.read_text(errors="replace")
    except OSError:
        return {}
    return read_env_file(file, Settings()) if speaks else {}


def stack_name(stack: str) -> str:
    """The name of a stack given as path or as name, as Compose says it.

    In this order: COMPOSE_PROJECT_NAME of `.env`, `name:` of the compose files, the directory's name.

    Raises:
        StackNotFound, UnsetVariables
        BrokenStack: Compose takes no such name.
    """
    if not Path(stack.split(os.pathsep, maxsplit=1)[0]).exists():
        if is_project_name(stack):
            return stack
        raise StackNotFound(f"{stack}: neither a compose file nor the name of a stack. Give --stack PATH")
    files = find_compose_files(stack)
    directory = Path(files[0]).parent
    if given := local_variables(directory, PROJECT_NAME).get(PROJECT_NAME):
        return _checked(given, f"COMPOSE_PROJECT_NAME in {directory / '.env'}")
    names = [document.get("name") for file in files for document in documents_of(file, _text(file))]
    name = next((str(name) for name in reversed(names) if name), "")
    if "$" in name:
        file = directory / ".env"
        variables = read_env_file(file, Settings()) if file.is_file() else {}
        name = ComposeReader(Settings(), variables).resolve(name)
    if name:
        return _checked(name, f"`name:` in {files[-1]}")
    return re.sub(r"[^a-z0-9_-]", "", directory.name.lower()).lstrip("_-")


def _checked(name: str, where: str) -> str:
    if not is_project_name(name):
        raise BrokenStack(
            f"{where} is {quoted_line(shown(name), 80)}, and Compose takes no such name: lower-case letters, digits, "
            "hyphens and underscores, a letter or a digit first. Give it another"
        )
    return name


def _text(file: str) -> str:
    return collect_files((file,), lambda path: Path(path).read_text(encoding="utf-8"), follow=False)[file]


@dataclass(frozen=True)
class Project:
    """What Compose reads of a stack: its files as given, all texts, and the env files that they name.

    Args:
        given: the compose files, in their order.
        texts: absolute path → text of these and of those they include or extend.
        entries: env files of services and includes that belong to the stack, absolute.
        on_droplet: service → the env files with an absolute path: the droplet's own, left alone.
    """

    given: tuple[str, ...]
    texts: Mapping[str, str]
    entries: tuple[EnvironmentFile, ...]
    services: Mapping[str, tuple[Mapping[str, Any], ...]]
    on_droplet: frozenset[str]
    profiles: tuple[str, ...]

    @property
    def directory(self) -> str:
        return os.path.dirname(self.given[0])

    def read(
        self, reader: ComposeReader, files: Mapping[str, bytes], *, project: str = "", strict: bool = False
    ) -> dict[str, Any]:
        """The stack as Compose resolves it.

        Args:
            files: absolute path → content of env files; what is not among them is taken from the checkout.
            strict: a required env file that is nowhere is not stood in for.
        """
        contents = {path: text.encode() for path, text in self.texts.items()}
        for entry in self.entries:
            if entry.path in files:
                contents[entry.path] = files[entry.path]
            elif os.path.isfile(entry.path):
                contents[entry.path] = read_private(entry.path)
            elif entry.required and not strict:
                contents[entry.path] = b""
        given = self.given
        if self.on_droplet:
            override = os.path.join(self.directory, OWN_OVERRIDE)
            contents[override] = without_env_files(self.services, self.on_droplet, self.directory)
            given = (*given, override)
        return reader.read(given, contents, self.profiles, project=project)

    def written(self, reader: ComposeReader) -> dict[str, Any]:
        """The stack with its variables as they are written, all profiles switched on."""
        contents = {path: text.encode() for path, text in self.texts.items()}
        contents |= {entry.path: b"" for entry in self.entries}
        return reader.raw(self.given, contents, ("*",))


def open_project(stack: str, settings: Settings, variables: Mapping[str, str], reader: ComposeReader) -> Project:
    """Find all that Compose reads of a stack.

    Raises:
        StackNotFound, BrokenStack, UnsetVariables
        UnsupportedField: a file of labels, which does not ship.
    """
    given = find_compose_files(stack, variables)
    texts = collect_files(given, lambda path: Path(path).read_text(encoding="utf-8"), reader.resolve)
    refuse_label_files({os.path.relpath(path, os.path.dirname(given[0])): text for path, text in texts.items()})
    profiles = active_profiles(settings.profiles, variables)
    included = included_env_files(texts, reader.resolve)
    entries = {
        path: EnvironmentFile(path=path, required=required)
        for path, required in included.items()
        if required or os.path.isfile(path)
    }
    contents = {path: text.encode() for path, text in texts.items()} | dict.fromkeys(entries, b"")
    services = env_files_of_services(given, contents, profiles, reader)
    listed = [entry for entries_of_one in services.values() for entry in entries_of_one]
    on_droplet = env_files_of_the_droplet(services, texts.values())
    for entry in listed:
        path, required = entry["path"], entry.get("required", True)
        if path not in on_droplet and (path not in entries or required):
            entries[path] = EnvironmentFile(path=path, required=required)
    return Project(given, texts, tuple(entries.values()), services, on_droplet, profiles)
