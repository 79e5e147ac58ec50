"""Reads a stack from its source on the build host."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import task

from flows.core.droplet.docker_commands import Compose, complaint
from flows.core.errors import BadTag, BrokenStack, StackNotFound, UnsetVariables
from flows.core.registry.references import check_tag
from flows.core.stack.compose_files import collect_files, document_of, load_config
from flows.core.stack.development import refuse_development
from flows.core.stack.shipped_files import EnvironmentFile, StackFiles, env_file_entries, find_stack_files
from flows.core.stack.stack import Stack
from flows.settings import Settings
from flows.tasks.build_host import run
from flows.tasks.runs.retries import ONCE

_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_SOURCE = {".py", ".js", ".ts", ".jsx", ".tsx", ".go", ".rb", ".php", ".java", ".kt", ".rs", ".cs", ".ex", ".scala"}
_UNSET = re.compile(r'The \\"(\w+)\\" variable is not set|required variable (\w+) is missing a value')


@dataclass(frozen=True)
class Source:
    """A stack as read from the build host: what Compose resolved, its files and texts, and its git commit."""

    stack: Stack
    sources: StackFiles
    texts: Mapping[str, str]
    config: Mapping[str, Any]
    given: tuple[str, ...]
    commit: str | None


def find_compose_files(stack: str) -> tuple[str, ...]:
    """The compose files that `--stack` means (absolute): a file, several joined by ':', or a directory with one.

    Raises:
        StackNotFound
    """
    files = []
    for part in stack.split(os.pathsep):
        path = Path(part).resolve()
        if path.is_dir():
            found = [path / name for name in _NAMES if (path / name).is_file()]
            if not found:
                raise StackNotFound(
                    f"{part}: no compose file in this directory ({', '.join(_NAMES)}). Give --stack PATH"
                )
            path = found[0]
        if not path.is_file():
            raise StackNotFound(f"{part}: no such compose file. Give --stack PATH, a compose file or its directory")
        files.append(str(path))
    return tuple(files)


def stack_name(stack: str) -> str:
    """The name of a stack given as path or as name, without Compose: `name:` of its file, else its directory's name."""
    if not Path(stack.split(os.pathsep, maxsplit=1)[0]).exists():
        if re.fullmatch(r"[a-z0-9][a-z0-9_-]*", stack):
            return stack
        raise StackNotFound(f"{stack}: neither a compose file nor the name of a stack. Give --stack PATH")
    files = find_compose_files(stack)
    names = [document_of(file, Path(file).read_text()).get("name") for file in files]
    given = [name for name in names if name]
    return given[-1] if given else re.sub(r"[^a-z0-9_-]", "", Path(files[0]).parent.name.lower()).lstrip("_-")


@task(name="read stack", task_run_name="read the stack from {stack}", timeout_seconds=120, **ONCE)
def read_stack(
    stack: str, settings: Settings, registry_prefix: str, tag: str, variables: Mapping[str, str], env: Mapping[str, str]
) -> Source:
    """Read a stack, and refuse what cannot or must not be released.

    Raises:
        StackNotFound, BrokenStack, UnsetVariables, BadExtension, DevelopmentOnly
    """
    given = find_compose_files(stack)
    texts = collect_files(given, lambda path: Path(path).read_text())
    compose = Compose("", given, settings.profiles, docker=settings.docker)
    interpolated = {**env, **variables, "REGISTRY": registry_prefix, "IMAGE_TAG": tag}
    entries: tuple[EnvironmentFile, ...] = ()
    if any("env_file" in text for text in texts.values()):
        entries = env_file_entries(load_config(ask_compose(compose.raw_config(), interpolated)))
    with placeholders(entry.path for entry in entries if entry.required):
        config = load_config(ask_compose(compose.config(), interpolated))
    if not config.get("services"):
        raise BrokenStack(
            f"{stack} has no services to release. Add one under `services:`, or switch a profile on (SLIPWAY_PROFILES)"
        )
    resolved = Stack.from_config(config)
    project = os.path.dirname(given[0])
    sources = find_stack_files(resolved, project, tuple(texts), entries, texts.values())
    names = {sources.relative(p): text for p, text in texts.items()}
    refuse_development(resolved, names, _holds_source, sources.host_paths)
    if missing := [path for path in sources.shipped if not os.path.exists(path)]:
        raise BrokenStack(f"the stack mounts {', '.join(missing)}, which does not exist. Add it, or remove the mount")
    return Source(resolved, sources, texts, config, given, _git(project, "rev-parse", "HEAD"))


def default_tag(stack: str) -> str:
    """The short commit of the stack's git checkout; a dirty tree says so, with a hash of its changes.

    Raises:
        BadTag: outside git.
    """
    directory = os.path.dirname(find_compose_files(stack)[0])
    commit = _git(directory, "rev-parse", "--short", "HEAD")
    if commit is None:
        raise BadTag(f"{stack} is in no git checkout with a commit, so there is no tag to take. Give --tag TAG")
    changes = _git(directory, "status", "--porcelain")
    if not changes:
        return commit
    tree = _git_tree(directory)
    return check_tag(f"{commit}-dirty-{tree[:8]}")


def _git_tree(directory: str) -> str:
    """The hash of the tree as it lies there, untracked files included; the real index is not touched."""
    index = subprocess.run(
        ["git", "-C", directory, "rev-parse", "--git-path", "index"], capture_output=True, text=True, check=True
    ).stdout.strip()
    scratch = f"{os.path.join(directory, index)}.slipway-{os.getpid()}"
    env = {**os.environ, "GIT_INDEX_FILE": scratch}
    try:
        for words in (["read-tree", "HEAD"], ["add", "--all", ":/"]):
            subprocess.run(["git", "-C", directory, *words], env=env, capture_output=True, check=True)
        written = subprocess.run(
            ["git", "-C", directory, "write-tree"], env=env, capture_output=True, text=True, check=True
        )
        return written.stdout.strip()
    finally:
        Path(scratch).unlink(missing_ok=True)


def _git(directory: str, *words: str) -> str | None:
    answer = run(["git", "-C", directory, *words], {})
    return answer.stdout.strip() if answer.returncode == 0 else None


def ask_compose(argv: list[str], env: Mapping[str, str]) -> str:
    """What Compose prints; a stack that it cannot read, or that uses unset variables, is refused."""
    answer = run(argv, env)
    if answer.returncode != 0:
        refuse_unset(answer.stderr, "the compose files use")
        raise BrokenStack(f"Compose cannot read the stack: {complaint(answer.stderr)}")
    if "--no-interpolate" not in argv:
        refuse_unset(answer.stderr, "the compose files use")
    return answer.stdout


def refuse_unset(warnings: str, who: str) -> None:
    """Raise for the variables that Compose says nobody set.

    Raises:
        UnsetVariables
    """
    unset = sorted({name for names in _UNSET.findall(warnings) for name in names if name})
    if unset:
        names = ", ".join(unset)
        raise UnsetVariables(
            f"{who} {names}, which nobody gave a value. Set it in the stack's environment block "
            f"(slipway environment set), with --env-file PATH, or give it a default: ${{{unset[0]}:-value}}"
        )


@contextmanager
def placeholders(paths: Iterable[str]) -> Iterator[None]:
    """Empty files where env files are missing, for as long as Compose reads the stack.

    Compose refuses a stack whose env files are absent, but their content comes from the environment block and is
    not needed for building.
    """
    made = []
    try:
        for path in paths:
            if not os.path.lexists(path) and os.path.isdir(os.path.dirname(path)):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
                made.append(path)
        yield
    finally:
        for path in made:
            os.unlink(path)


def _holds_source(path: str) -> bool:
    if os.path.isfile(path):
        return Path(path).suffix in _SOURCE
    return any(entry.suffix in _SOURCE for entry in Path(path).rglob("*") if entry.is_file())
