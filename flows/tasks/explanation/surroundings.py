"""What lies around the compose files of a checkout: env files, override files, git."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.core.explanation.reading import EnvFile
from flows.core.stack.compose_files import documents_of
from flows.core.stack.env_files import parse
from flows.core.stack.variables import PROFILES, PROJECT_NAME, active_profiles
from flows.settings import Settings
from flows.tasks.stack.git import commit_of
from flows.tasks.stack.project import Project

_OVERRIDES = tuple(f"{name}.override.{end}" for name in ("compose", "docker-compose") for end in ("yaml", "yml"))
_EXAMPLES = (
    ".env.example", ".env.sample", ".env.template", ".env.dist", ".env.default", "env.example", "sample.env",
    "example.env", "default.env",
)  # fmt: skip


@dataclass(frozen=True)
class Surroundings:
    """A project and what lies around it.

    Args:
        stack: as it was given.
        file: where the project's variables stand, whether it is there or not.
    """

    stack: str
    project: Project
    file: Path
    variables: Mapping[str, str]
    settings: Settings

    @property
    def shown_file(self) -> str:
        return os.path.relpath(self.file, self.project.directory)

    def env_files(self) -> Iterator[EnvFile]:
        """The project's own, those of its includes, those of its services."""
        if self.file.is_file():
            yield EnvFile(str(self.file), tuple(self.variables), interpolates=True)
        services: dict[str, list[str]] = {}
        required: dict[str, bool] = {}
        for service, entries in self.project.services.items():
            for entry in entries:
                services.setdefault(entry["path"], []).append(service)
                required[entry["path"]] = required.get(entry["path"], False) or entry.get("required", True)
        for known in self.project.entries:
            if known.path not in services and known.path != str(self.file):
                yield EnvFile(known.path, _names(known.path), known.required, interpolates=True)
        for path, users in services.items():
            own = path in self.project.on_droplet
            yield EnvFile(path, None if own else _names(path), required[path], tuple(sorted(users)), on_droplet=own)

    def profiles(self) -> dict[str, str]:
        """Each profile that is switched on, and what switches it on."""
        settings = dict.fromkeys(self.settings.profiles, "the setting profiles")
        named = dict.fromkeys(active_profiles((), self.variables), f"{PROFILES} in {self.shown_file}")
        return {**named, **settings}

    def named_by(self) -> str:
        """What gives the stack its name."""
        if self.variables.get(PROJECT_NAME):
            return f"{PROJECT_NAME} in {self.shown_file}"
        for path in reversed(self.project.given):
            if any(document.get("name") for document in documents_of(path, self.project.texts[path])):
                return f"`name:` in {os.path.relpath(path, self.project.directory)}"
        return "the name of its directory"

    def overrides(self) -> list[str]:
        """Override files beside the compose file that are not named."""
        places = {name: os.path.join(self.project.directory, name) for name in _OVERRIDES}
        return [name for name, path in places.items() if os.path.isfile(path) and path not in self.project.given]

    def hints(self) -> Iterator[str]:
        """What may help next."""
        directory = self.project.directory
        if not self.file.is_file():
            example = next((name for name in _EXAMPLES if os.path.isfile(os.path.join(directory, name))), "")
            if example:
                there = os.path.relpath(os.path.join(directory, example))
                yield f"There is no {self.shown_file} here. To see it with the example's variables: --env-file {there}"
        if not commit_of(directory):
            yield "The stack is in no git checkout with a commit, so a release needs --tag TAG"


def _names(path: str) -> tuple[str, ...] | None:
    try:
        return tuple(parse(Path(path).read_text(errors="replace")))
    except OSError:
        return None
