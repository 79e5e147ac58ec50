"""Reads a stack's environment from the files of a checkout, to be saved as a block."""

import os
from collections.abc import Mapping
from pathlib import Path

from prefect.logging import get_run_logger

from blocks import StackEnvironment
from blocks.environment import held_content
from flows.core.errors import MissingEnvironmentFile, Refused
from flows.core.secrets.masking import variable_values
from flows.core.secrets.outdated import EnvironmentNames, outdated_env_files, outdated_environment
from flows.core.stack.builds.build_needs import build_secret_files
from flows.core.stack.env_files import parse
from flows.core.stack.files.shipped_files import EnvironmentFile, find_stack_files
from flows.core.stack.stack import Stack
from flows.core.stack.variables import PROJECT_NAME
from flows.settings import Settings
from flows.tasks.runs.log_masking import register_secrets
from flows.tasks.stack.checks import refuse_absent_files
from flows.tasks.stack.env_file import read_env_file, read_private
from flows.tasks.stack.given_files import settle_given_files
from flows.tasks.stack.project import open_project
from flows.tasks.stack.reading import ComposeReader
from flows.tasks.stack.source import Source
from flows.tasks.stack.source_roots import refuse_not_allowed


def read_environment(stack: str, env_file: Path | None) -> tuple[StackEnvironment, str]:
    """Return the environment as the files here hold it, and the stack's name.

    Args:
        stack: compose file or its directory; '' for the setting.
        env_file: where the variables stand; default `.env` beside the compose file.

    Raises:
        MissingEnvironmentFile: an env file or secret file that the stack needs is not here.
    """
    settings = Settings()
    first = Path((stack or settings.stack).split(os.pathsep, maxsplit=1)[0])
    directory = first if first.is_dir() else first.parent
    path = env_file or directory / ".env"
    if env_file and not env_file.is_file():
        raise MissingEnvironmentFile(f"env file {env_file} does not exist. Give --env-file PATH")
    variables = read_env_file(path, settings) if path.is_file() else {}
    reader = ComposeReader(settings, {"REGISTRY": "registry", "IMAGE_TAG": "tag", **variables})
    project = open_project(stack or settings.stack, settings, variables, reader)
    config = project.read(reader, {}, project=variables.get(PROJECT_NAME, ""))
    resolved = Stack.from_config(config)
    sources = find_stack_files(
        resolved,
        project.directory,
        tuple(project.texts),
        project.entries,
        project.texts.values(),
        config.get("volumes"),
    )
    sources = settle_given_files(sources, (), settings)
    # What only builds read is saved too, and never put on a droplet.
    of_builds = tuple(EnvironmentFile(path=path, secret=True) for path in build_secret_files(resolved))
    entries = {entry.path: entry for entry in (*of_builds, *sources.environment_files)}.values()
    refuse_absent_files(entries)
    files = {
        os.path.relpath(entry.path, project.directory): held_content(read_private(entry.path))
        for entry in entries
        if os.path.isfile(entry.path)
    }
    return StackEnvironment(variables=variables, files=files), resolved.name


def variables(environment: StackEnvironment, env_file: str | None) -> dict[str, str]:
    """The stack's variables: those of the block, and over them those of the env file.

    Raises:
        MissingEnvironmentFile: the env file cannot be read.
        OutsideSource: the setting `source_roots` does not allow it.
    """
    if not env_file:
        return environment.values()
    settings = Settings()
    refuse_not_allowed(env_file, settings)
    given = read_env_file(Path(env_file), settings)
    register_secrets(variable_values(given))
    return {**environment.values(), **given}


def warn_of_outdated(
    environment: StackEnvironment, given: Mapping[str, str], source: Source, settings: Settings
) -> None:
    """Say in the run's log, by name, what the environment block lacks of its source, and what is gone from there.

    Args:
        given: the variables of the run: those of the block, and of an env file over them.
    """
    directory = os.path.dirname(source.given[0])
    file = Path(directory, ".env")
    entries = {os.path.relpath(entry.path, directory): entry for entry in source.sources.environment_files}
    told = outdated_environment(
        EnvironmentNames(environment.values(), environment.contents()),
        EnvironmentNames(
            _names(file, settings),
            [name for name, entry in entries.items() if entry.required or os.path.isfile(entry.path)],
        ),
        env_file=str(file),
        elsewhere=given,
        named_files=entries,
    )
    files = [name for name, entry in entries.items() if not entry.secret and os.access(entry.path, os.R_OK)]
    told += outdated_env_files(
        {name: _parsed(content) for name, content in environment.contents().items() if name in files},
        {name: _parsed(read_private(entries[name].path)) for name in files if os.path.isfile(entries[name].path)},
    )
    for sentence in told:
        get_run_logger().warning("%s. To bring it up to date: slipway environment set --stack %s", sentence, directory)


def _parsed(content: bytes) -> set[str]:
    return set(parse(content.decode(errors="replace")))


def _names(file: Path, settings: Settings) -> set[str]:
    """The names of an env file's variables; one that Compose cannot read is read as it looks."""
    if not file.is_file() or not os.access(file, os.R_OK):
        return set()
    try:
        return set(read_env_file(file, settings))
    except Refused:
        return _parsed(read_private(str(file)))
