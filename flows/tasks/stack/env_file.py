"""Reads env files the way Compose does: by asking Compose."""

import json
import re
import tempfile
from pathlib import Path

import yaml

from flows.core.droplet.docker_commands import Compose
from flows.core.errors import MissingEnvironmentFile
from flows.core.stack.env_files import parse
from flows.settings import Settings
from flows.tasks.build_host import own_environment, run

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def read_env_file(path: Path, settings: Settings) -> dict[str, str]:
    """Return the variables of an env file, quotes, escapes and references resolved as `docker compose` resolves them.

    Parsers of env files differ in what `"\\$"`, `'\\\\'` or `$NAME` mean; what the
    stack's owner tried with Compose holds here too.

    Raises:
        MissingEnvironmentFile: the file cannot be read.
    """
    try:
        simply = {name: value for name, value in parse(path.read_text()).items() if _NAME.fullmatch(name)}
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise MissingEnvironmentFile(f"env file {path}: {reason}. Give --env-file PATH, a file of this host") from None
    asked = {name: f"${{{name}}}" for name in simply}
    document = {"name": "variables", "services": {"all": {"image": "none", "environment": asked}}}
    with tempfile.TemporaryDirectory(prefix="slipway-env-") as directory:
        file = Path(directory) / "compose.json"
        file.write_text(json.dumps(document))
        compose = Compose("variables", (str(file),), env_file=str(path.resolve()), docker=settings.docker)
        answer = run(compose.config(), {})
    if answer.returncode:
        line = re.search(r"line (\d+)", answer.stderr)  # and no more of its words: they repeat what stands there
        place = f", line {line.group(1)}" if line else ""
        raise MissingEnvironmentFile(f"env file {path}{place}: Compose cannot read it. Mend it: NAME=value, one a line")
    read = yaml.safe_load(answer.stdout)["services"]["all"].get("environment") or {}
    # To Compose its own environment (PATH, a proxy) wins over the file; to us the file says what it says.
    own = own_environment({})
    return {name: simply[name] if name in own else str(read[name]).replace("$$", "$") for name in simply}
