"""Env files and secret files of a checkout: what Compose makes of them, and which env files are the droplet's own."""

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.core.droplet.docker_commands import Compose
from flows.core.errors import MissingEnvironmentFile, UnreadableFile
from flows.core.stack.compose_files import scalars
from flows.core.stack.compose_yaml import Override, dump_compose, load_service
from flows.settings import Settings
from flows.tasks.build_host import run_alone
from flows.tasks.private_directory import private_directory
from flows.tasks.stack.reading import ComposeReader, refuse_unset, unset_variables

# What takes the droplet's own env files, whose paths are absolute, out of a reading: they are not on this host.
OWN_OVERRIDE = "slipway-override.json"
EnvFiles = Mapping[str, Sequence[Mapping[str, Any]]]


def read_private(path: str) -> bytes:
    """The content of an env file or secret file of the checkout.

    Raises:
        UnreadableFile
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror or error}. Let this user read it") from None


def read_env_file(path: Path, settings: Settings) -> dict[str, str]:
    """Return the variables of an env file, quotes, escapes and references resolved as `docker compose` resolves them.

    Parsers of env files differ in what `"\\$"`, `'\\\\'` or `$NAME` mean; what the stack's owner tried with Compose
    holds here too.

    Raises:
        MissingEnvironmentFile: the file cannot be read.
        UnsetVariables: it refers to a variable that it does not hold.
    """
    try:
        path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise MissingEnvironmentFile(f"env file {path}: {reason}. Give --env-file PATH, a file of this host") from None
    document = {"services": {"all": {"image": "none", "env_file": [str(path.resolve())]}}}
    with private_directory("env") as directory:
        file = Path(directory) / "compose.json"
        file.write_bytes(dump_compose(document))
        answer = run_alone(Compose("variables", (str(file),), docker=settings.docker).json_config())
    if answer.returncode:
        line = re.search(r"line (\d+)", answer.stderr)  # and no more of its words: they repeat what stands there
        place = f", line {line.group(1)}" if line else ""
        raise MissingEnvironmentFile(f"env file {path}{place}: Compose cannot read it. Mend it: NAME=value, one a line")
    refuse_unset(unset_variables(answer.stderr), f"env file {path} uses")
    read = load_service(answer.stdout, "all").get("environment") or {}
    return {name: str(value).replace("$$", "$") for name, value in read.items() if value is not None}


def env_files_of_services(
    given: Sequence[str], contents: Mapping[str, bytes], profiles: Sequence[str], reader: ComposeReader
) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Service that is switched on → its `env_file` entries, their paths absolute.

    Args:
        given: the compose files, absolute.
        contents: absolute path → content of every file that Compose reads to print the stack without variables.
    """
    found: dict[str, tuple[Mapping[str, Any], ...]] = {}
    if any(b"env_file" in content for content in contents.values()):
        for name, spec in (reader.raw(given, contents, profiles).get("services") or {}).items():
            if not spec.get("profiles") or "*" in profiles or set(spec["profiles"]) & set(profiles):
                found[name] = tuple(_entries(spec.get("env_file"), reader))
    return found


def env_files_of_the_droplet(services: EnvFiles, texts: Iterable[str]) -> frozenset[str]:
    """Those whose absolute path stands in a compose file as it is."""
    spoken = {scalar for text in texts for scalar in scalars(text)}
    return frozenset(entry["path"] for entries in services.values() for entry in entries if entry["path"] in spoken)


def services_with(services: EnvFiles, paths: Collection[str]) -> frozenset[str]:
    """The services that have one of these env files."""
    return frozenset(name for name, entries in services.items() if any(entry["path"] in paths for entry in entries))


def without_env_files(services: EnvFiles, paths: Collection[str], directory: str) -> bytes:
    """A compose file for a directory that takes these env files from their services."""
    changed = services_with(services, paths)
    left = {
        name: [{**entry, "path": os.path.relpath(entry["path"], directory)} for entry in entries
               if entry["path"] not in paths]
        for name, entries in services.items() if name in changed
    }  # fmt: skip
    return dump_compose({"services": {name: {"env_file": Override(entries)} for name, entries in left.items()}})


def _entries(listed: Any, reader: ComposeReader) -> list[dict[str, Any]]:
    """The `env_file` entries of one service, each with the path that its variables make."""
    entries = [dict(entry) if isinstance(entry, Mapping) else {"path": entry} for entry in listed or ()]
    for entry in entries:
        head, dollar, tail = str(entry["path"]).partition("$")
        if dollar:  # Compose has put the project's directory before a path that may become absolute
            base, _, first = head.rpartition("/")
            entry["path"] = os.path.join(base, reader.resolve(f"{first}${tail}"))
        entry["path"] = os.path.normpath(entry["path"])
    return entries
