"""Reads a stack by Compose itself: from these files, these variables, and nothing else of this machine."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from flows.core.droplet.docker_commands import Compose, complaint
from flows.core.errors import BrokenStack, UnsetVariables
from flows.core.stack.compose_yaml import dump_compose, load_config
from flows.core.stack.env_files import render
from flows.core.stack.variables import without_steering
from flows.settings import Settings
from flows.tasks.build_host import run_alone

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
        with _private_directory() as directory:
            file = directory / "compose.json"
            file.write_bytes(dump_compose(document))
            answer = self._run(directory, (str(file),), (), "config")
        labels = load_config(checked(answer, "the compose files use"))["services"]["all"]["labels"]
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
        with _private_directory() as directory:
            for path, content in contents.items():
                place = Path(f"{directory}{path}")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            moved = tuple(f"{directory}{file}" for file in files)
            answer = self._run(directory, moved, profiles, "config", project=project)
            config = load_config((_output(answer)).replace(str(directory), ""))
            if unset := unset_variables(answer.stderr):
                raw = load_config(_output(self._run(directory, moved, profiles, "config", "--no-interpolate")))
                refuse_unset(used_variables(raw, config, unset), who)
        return config

    def raw(self, files: Sequence[str], contents: Mapping[str, bytes], profiles: Sequence[str] = ()) -> dict[str, Any]:
        """The stack with its variables as they are written; env files may be missing."""
        with _private_directory() as directory:
            for path, content in contents.items():
                place = Path(f"{directory}{path}")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            moved = tuple(f"{directory}{file}" for file in files)
            answer = self._run(directory, moved, profiles, "config", "--no-interpolate")
            return load_config(_output(answer).replace(str(directory), ""))

    def _run(
        self, directory: Path, files: tuple[str, ...], profiles: Sequence[str], *words: str, project: str = ""
    ) -> CompletedProcess[str]:
        variables = directory / "variables.env"
        variables.write_bytes(render(self._variables))
        compose = Compose(project, files, tuple(profiles), env_file=str(variables), docker=self._docker)
        return run_alone(compose(*words))


def checked(answer: CompletedProcess[str], who: str) -> str:
    """What Compose printed; every variable that it warns of is refused.

    Raises:
        UnsetVariables, BrokenStack
    """
    printed = _output(answer)
    refuse_unset(unset_variables(answer.stderr), who)
    return printed


def _output(answer: CompletedProcess[str]) -> str:
    if answer.returncode != 0:
        refuse_unset(unset_variables(answer.stderr), "the compose files use")
        raise BrokenStack(f"Compose cannot read the stack: {complaint(answer.stderr)}")
    return answer.stdout


def unset_variables(warnings: str) -> tuple[str, ...]:
    """The variables that Compose says nobody set."""
    return tuple(sorted({name for names in _UNSET.findall(warnings) for name in names if name}))


def used_variables(raw: Mapping[str, Any], config: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names that something uses which is switched on.

    Args:
        raw: the stack without interpolation, whatever its profiles.
        config: the stack as it is resolved.
    """
    services = raw.get("services") or {}
    texts = [*_strings({name: spec for name, spec in services.items() if name in config["services"]})]
    for part in ("networks", "volumes", "configs", "secrets"):
        known = raw.get(part) or {}
        texts += _strings({name: spec for name, spec in known.items() if name in (config.get(part) or {})})
    return tuple(name for name in names if any(re.search(rf"\$\{{?{name}\b", text) for text in texts))


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


@contextmanager
def _private_directory() -> Iterator[Path]:
    place = tempfile.mkdtemp(prefix="slipway-reading-")
    try:
        yield Path(os.path.realpath(place))
    finally:
        shutil.rmtree(place, ignore_errors=True)
