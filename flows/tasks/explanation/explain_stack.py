"""Explains the stack of a checkout: without a block, a server, an engine or Prefect."""

import os
from collections.abc import Mapping
from pathlib import Path

from flows.core.errors import BrokenStack, MissingEnvironmentFile, Refused
from flows.core.explanation.explain import explain
from flows.core.explanation.explanation import Explanation, Refusal
from flows.core.explanation.includes import include_env_files
from flows.core.explanation.reading import HOST, TAG, ReadStack
from flows.core.explanation.services import read_services
from flows.core.secrets.masking import Mask, is_secret_name, variable_values
from flows.core.stack.env_files import parse
from flows.settings import Settings
from flows.tasks.build_host import run_alone
from flows.tasks.explanation.forgiving import ForgivingReader, Refusals
from flows.tasks.explanation.placement import look_at_files, place_files
from flows.tasks.explanation.surroundings import Surroundings
from flows.tasks.stack.checks import refuse_absent_files, refuse_empty, release_checks
from flows.tasks.stack.env_file import read_env_file, read_private
from flows.tasks.stack.project import Project, find_compose_files, open_project
from flows.tasks.stack.source_roots import refuse_outside

_PATHS = ("/", "./", "../", "~")
_UNREAD = "Compose cannot read the stack yet, so nothing more can be said"


def explain_stack(stack: str, env_file: Path | None, settings: Settings) -> Explanation:
    """What becomes of a stack's compose files; no value of a variable is in it.

    Args:
        stack: compose file or its directory.
        env_file: where the variables stand; default: `.env` beside the compose file.

    Raises:
        StackNotFound
        BrokenStack: there is no Docker Compose here.
        MissingEnvironmentFile: the env file that was named is not there.
    """
    first = Path(stack.split(os.pathsep, maxsplit=1)[0])
    file = env_file or (first if first.is_dir() else first.parent) / ".env"
    if env_file and not env_file.is_file():
        raise MissingEnvironmentFile(f"env file {env_file} does not exist. Give --env-file PATH")
    refused = Refusals()
    variables: Mapping[str, str] = {}
    if file.is_file():
        as_it_looks = parse(refused.attempt(lambda: read_private(str(file)), b"").decode(errors="replace"))
        variables = refused.attempt(lambda: read_env_file(file, settings), as_it_looks)
    given = find_compose_files(stack, variables)
    reader = ForgivingReader(settings, {**variables, "REGISTRY": HOST, "IMAGE_TAG": TAG})
    try:
        project = open_project(stack, settings, variables, reader)
        around = Surroundings(stack, project, file.resolve(), variables, settings)
        explanation = _explained(around, reader, refused)
    except Refused as error:
        if run_alone([settings.docker, "compose", "version"]).returncode:
            raise BrokenStack(
                f"`{settings.docker} compose` does not run here, and only Compose knows what a compose file means. "
                "Install the docker client and its Compose plugin (no engine is needed), or set SLIPWAY_DOCKER"
            ) from None
        if not reader.unset:  # what stands in for them may be what Compose cannot read
            refused.add(Refusal(type(error).__name__, str(error)))
        shown = tuple(os.path.relpath(path, os.path.dirname(given[0])) for path in given)
        refusals = refused.with_unset(reader.unset)
        return Explanation("", "", shown, refusals=refusals, hints=(_UNREAD,)).masked(Mask(variable_values(variables)))
    return explanation.masked(_mask(explanation, project, variables))


def _explained(around: Surroundings, reader: ForgivingReader, refused: Refusals) -> Explanation:
    project, settings = around.project, around.settings
    config = project.read(reader, {})
    refuse_empty(around.stack, config)
    stack, bad_services = read_services(config)
    for refusal in bad_services:
        refused.add(refusal)
    sources, astray = place_files(stack, project, config.get("volumes") or {}, settings, refused)
    refused.attempt(lambda: refuse_outside(around.stack, sources, settings), None)
    for check in release_checks(stack, sources, project.texts, config, bool(settings.shared_droplet)):
        refused.attempt(check, None)
    refused.attempt(lambda: refuse_absent_files(sources.environment_files), None)
    mounted = look_at_files(sources, settings, refused)
    read = ReadStack(
        stack,
        sources,
        project.directory,
        config,
        project.written(reader),
        project.texts,
        env_files=tuple(around.env_files()),
        include_env=include_env_files(project.texts, reader.resolve),
        variables=around.variables,
        variables_from=around.shown_file,
        unset=tuple(reader.unset),
        shell=frozenset(os.environ),
        profiles=around.profiles(),
        mounted=mounted,
        astray=astray,
        readiness_delay=settings.readiness_delay,
    )
    return explain(
        read,
        refused.with_unset(reader.unset),
        named_by=around.named_by(),
        overrides=around.overrides(),
        hints=around.hints(),
    )


def _mask(explanation: Explanation, project: Project, variables: Mapping[str, str]) -> Mask:
    """A mask over the variables' values, but those that the compose files have too, and those of paths."""
    written = "\n".join(project.texts.values())
    names = {explanation.stack, *(service.name for service in explanation.services)}
    public = {
        value
        for name, value in variables.items()
        if value in written or value in names or (value.startswith(_PATHS) and not is_secret_name(name))
    }
    return Mask(variable_values(variables), public)
