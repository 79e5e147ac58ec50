"""Reads a stack's environment from the files of a checkout, to be saved as a block."""

import os
from pathlib import Path

from blocks import StackEnvironment
from flows.core.droplet.docker_commands import Compose
from flows.core.errors import MissingEnvironmentFile
from flows.core.secrets.masking import variable_values
from flows.core.stack.build_needs import build_secret_files
from flows.core.stack.compose_files import collect_files, load_config
from flows.core.stack.shipped_files import env_file_entries, find_stack_files
from flows.core.stack.stack import Stack
from flows.settings import Settings
from flows.tasks.runs.log_masking import register_secrets
from flows.tasks.stack.env_file import read_env_file
from flows.tasks.stack.source import ask_compose, find_compose_files, placeholders


def read_environment(stack: str, env_file: Path | None) -> tuple[StackEnvironment, str]:
    """Return the environment as the files here hold it, and the stack's name.

    Args:
        stack: compose file or its directory; '' for the setting.
        env_file: where the variables stand; default `.env` beside the compose file.

    Raises:
        MissingEnvironmentFile: an env file or secret file that the stack needs is not here.
    """
    settings = Settings()
    given = find_compose_files(stack or settings.stack)
    project = os.path.dirname(given[0])
    path = env_file or Path(project) / ".env"
    if env_file and not env_file.is_file():
        raise MissingEnvironmentFile(f"env file {env_file} does not exist. Give --env-file PATH")
    variables = read_env_file(path, settings) if path.is_file() else {}
    texts = collect_files(given, lambda name: Path(name).read_text())
    compose = Compose("", given, settings.profiles, docker=settings.docker)
    known = {"REGISTRY": "registry", "IMAGE_TAG": "tag", **variables}
    entries = env_file_entries(load_config(ask_compose(compose.raw_config(), known)))
    with placeholders(entry.path for entry in entries if entry.required):
        resolved = Stack.from_config(load_config(ask_compose(compose.config(), known)))
    sources = find_stack_files(resolved, project, tuple(texts), entries, texts.values())
    # What only builds read is saved too, and never put on a droplet.
    paths = dict.fromkeys([entry.path for entry in sources.environment_files] + [*build_secret_files(resolved)])
    optional = {entry.path for entry in sources.environment_files if not entry.required}
    missing = [path for path in paths if path not in optional and not os.path.isfile(path)]
    if missing:
        raise MissingEnvironmentFile(f"{', '.join(missing)}: needed by the stack and not here. Write it, and try again")
    files = {os.path.relpath(path, project): Path(path).read_text() for path in paths if os.path.isfile(path)}
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
