"""Env files: read as people write them, written so that Compose reads back exactly the same values."""

from collections.abc import Mapping
from io import StringIO

from dotenv import dotenv_values


def render(variables: Mapping[str, str]) -> bytes:
    """Write variables as an env file for `docker compose --env-file`.

    Single quotes are literal to Compose; a value that cannot stand in them is double-quoted, with `\\`, `"`, `$`
    and line breaks escaped.
    """
    return "".join(f"{name}={_quote(variables[name])}\n" for name in sorted(variables)).encode()


def parse(text: str) -> dict[str, str]:
    """Read an env file's text; names without a value are left out, nothing is interpolated."""

    values = dotenv_values(stream=StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def _quote(value: str) -> str:
    if "'" not in value and "\n" not in value and "\r" not in value and not value.endswith("\\"):
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r") + '"'
