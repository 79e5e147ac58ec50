"""Reads a stack's environment from the files of a checkout, to be saved as a block."""

import os
from pathlib import Path

from blocks import StackEnvironment
from blocks.environment import held_content
from flows.core.errors import MissingEnvironmentFile
from flows.core.secrets.masking import variable_values
from flows.core.stack.build_needs import build_secret_files
from flows.core.stack.shipped_files import find_stack_files
from flows.core.stack.stack import Stack
from flows.core.stack.variables import PROJECT_NAME
from flows.settings import Settings
from flows.tasks.runs.log_masking import register_secrets
from flows.tasks.stack.env_file import read_env_file
from flows.tasks.stack.given_files import settle_given_files
from flows.tasks.stack.project import open_project
from flows.tasks.stack.reading import ComposeReader


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
    paths = dict.fromkeys([entry.path for entry in sources.environment_files] + [*build_secret_files(resolved)])
    optional = {entry.path for entry in sources.environment_files if not entry.required}
    missing = [path for path in paths if path not in optional and not os.path.isfile(path)]
    if missing:
        raise MissingEnvironmentFile(f"{', '.join(missing)}: needed by the stack and not here. Write it, and try again")
    files = {
        os.path.relpath(path, project.directory): held_content(Path(path).read_bytes())
        for path in paths
        if os.path.isfile(path)
    }
    return StackEnvironment(variables=variables, files=files), resolved.name


def variables(environment: StackEnvironment, env_file: str | None) -> dict[str, str]:
    """The stack's variables: those of the block, and over them those of the env file.

    Raises:
        MissingEnvironmentFile: the env file cannot be read.
    """
    if not env_file:
        return environment.values()
    given = read_env_file(Path(env_file), Settings())
    register_secrets(variable_values(given))
    return {**environment.values(), **given}
