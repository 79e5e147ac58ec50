"""Reads a stack by Compose itself: from these files, these variables, and nothing else of this machine."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from flows.core.droplet.docker_commands import Compose, complaint
from flows.core.errors import BrokenStack, UnsetVariables
from flows.core.stack.compose_files import documents_of, referred_files
from flows.core.stack.compose_yaml import dump_compose, load_config, load_service
from flows.core.stack.env_files import render
from flows.core.stack.variables import Placeholders, expressions_in, without_steering
from flows.settings import Settings
from flows.tasks.build_host import run_alone
from flows.tasks.private_directory import private_directory
from flows.tasks.runs.log_masking import masked_line

_UNSET = re.compile(r'The \\"(\w+)\\" variable is not set|required variable (\w+) is missing a value')


class ComposeReader:
    """Compose on this host with a stack's variables; what a login or a worker has in its environment is not seen.

    Args:
        variables: the stack's own; those that would steer Compose are left out.
    """

    def __init__(self, settings: Settings, variables: Mapping[str, str]) -> None:
        self._docker = settings.docker
        self._variables = without_steering(variables)

    def interpolate(self, texts: Sequence[str]) -> list[str]:
        """Each text with its variables replaced.

        Raises:
            UnsetVariables, BrokenStack
        """
        asked = {str(n): text for n, text in enumerate(texts)}
        document = {"name": "interpolated", "services": {"all": {"image": "none", "labels": asked}}}
        with private_directory("reading") as place:
            directory = Path(place)
            file = directory / "compose.json"
            file.write_bytes(dump_compose(document))
            answer = self._run(directory, (str(file),), (), "config", "--format", "json")
        printed = _output(answer)
        self.refuse(unset_variables(answer.stderr), "the compose files use")
        labels = load_service(printed, "all")["labels"]
        return [str(labels[str(n)]).replace("$$", "$") for n in range(len(texts))]

    def resolve(self, text: str) -> str:
        """One text with its variables replaced."""
        return self.interpolate([text])[0]

    def read(
        self,
        files: Sequence[str],
        contents: Mapping[str, bytes],
        profiles: Sequence[str] = (),
        *,
        project: str = "",
        who: str = "the compose files use",
    ) -> dict[str, Any]:
        """What Compose resolves these files to, every path as it is here.

        Compose sees a directory that holds these contents and nothing else, so what lies beside them is no input.

        Args:
            files: the compose files, absolute, in their order.
            contents: absolute path → content of every file that Compose reads: compose files, those they include or
                extend, env files.
            project: the project's name; '' for the one that the files say.

        Raises:
            UnsetVariables: a service that is switched on uses a variable without a value.
            BrokenStack
        """
        with _holding(contents) as directory:
            moved = tuple(f"{directory}{file}" for file in files)
            answer = self._run(directory, moved, profiles, "config", project=project)
            config = load_config((_output(answer)).replace(str(directory), ""))
        if unset := unset_variables(answer.stderr):
            self.refuse(used_variables(self.raw(files, contents, ("*",)), config, unset), who)
        return config

    def raw(self, files: Sequence[str], contents: Mapping[str, bytes], profiles: Sequence[str] = ()) -> dict[str, Any]:
        """The stack with its variables as they are written; env files may be missing."""
        texts = {path: _text(content) for path, content in contents.items()}
        expressions = [found for path, text in texts.items() if text for found in _in_file_names(path, text)]
        known = dict(zip(expressions, self.interpolate(expressions), strict=True)) if expressions else {}
        placeholders = Placeholders(known)
        written = {path: placeholders.put(text).encode() if text else contents[path] for path, text in texts.items()}
        with _holding(written) as directory:
            moved = tuple(f"{directory}{file}" for file in files)
            answer = self._run(directory, moved, profiles, "config", "--no-interpolate")
            config: dict[str, Any] = placeholders.back(load_config(_output(answer).replace(str(directory), "")))
        return config

    def refuse(self, names: Sequence[str], who: str) -> None:
        """What becomes of variables that nobody gave a value, and that something uses: they are refused.

        Raises:
            UnsetVariables
        """
        refuse_unset(names, who)

    def _run(
        self, directory: Path, files: tuple[str, ...], profiles: Sequence[str], *words: str, project: str = ""
    ) -> CompletedProcess[str]:
        variables = directory / "variables.env"
        variables.write_bytes(render(self._variables))
        compose = Compose(project, files, tuple(profiles), env_file=str(variables), docker=self._docker)
        return run_alone(compose(*words))


def _output(answer: CompletedProcess[str]) -> str:
    if answer.returncode != 0:
        refuse_unset(unset_variables(answer.stderr), "the compose files use")
        raise BrokenStack(f"Compose cannot read the stack: {masked_line(complaint(answer.stderr))}")
    return answer.stdout


def unset_variables(warnings: str) -> tuple[str, ...]:
    """The variables that Compose says nobody set."""
    return tuple(sorted({name for names in _UNSET.findall(warnings) for name in names if name}))


def used_variables(raw: Mapping[str, Any], config: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names that something uses which is switched on. One that the compose files do not use, an env file
    uses.

    Args:
        raw: the stack without interpolation, all profiles switched on.
        config: the stack as it is resolved.
    """
    parts = ("services", "networks", "volumes", "configs", "secrets")
    there = {part: set(config.get(part) or ()) for part in parts}
    on = [*_strings([s for part in parts for name, s in (raw.get(part) or {}).items() if name in there[part]])]
    everywhere = [*_strings(raw)]

    def among(name: str, texts: Sequence[str]) -> bool:
        return any(re.search(rf"\$\{{?{name}\b", text) for text in texts)

    return tuple(name for name in names if among(name, on) or not among(name, everywhere))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def refuse_unset(names: Sequence[str], who: str) -> None:
    """Refuse variables that nobody gave a value.

    Raises:
        UnsetVariables
    """
    if names:
        raise UnsetVariables(
            f"{who} {', '.join(names)}, which nobody gave a value. Set it in the stack's environment block "
            f"(slipway environment set), with --env-file PATH, or give it a default: ${{{names[0]}:-value}}"
        )


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return ""  # an env file of another encoding: no compose file is


def _in_file_names(path: str, text: str) -> Iterator[str]:
    """The expressions in the names of files that a compose file includes or extends."""
    if not re.search(r"\b(include|extends)\b", text) or "$" not in text:
        return
    try:
        documents = documents_of(path, text)
    except BrokenStack:
        return  # an env file that has the word
    for document in documents:
        for name in referred_files(document):
            yield from expressions_in(name)


@contextmanager
def _holding(contents: Mapping[str, bytes]) -> Iterator[Path]:
    """A private directory that holds these contents, each at its path."""
    with private_directory("reading") as directory:
        for path, content in contents.items():
            place = Path(f"{directory}{path}")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        yield Path(directory)
