"""Reads env files and secret files of a checkout; what env files mean is asked of Compose."""

import json
import re
from pathlib import Path

from flows.core.droplet.docker_commands import Compose
from flows.core.errors import MissingEnvironmentFile, UnreadableFile
from flows.core.stack.compose_yaml import dump_compose
from flows.settings import Settings
from flows.tasks.build_host import run_alone
from flows.tasks.private_directory import private_directory
from flows.tasks.stack.reading import refuse_unset, unset_variables


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
    read = json.loads(answer.stdout)["services"]["all"].get("environment") or {}
    return {name: str(value).replace("$$", "$") for name, value in read.items() if value is not None}
