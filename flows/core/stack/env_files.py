"""Env files, read and written as Compose reads them.

Syntax: github.com/compose-spec/compose-go, package dotenv. Other readers of env files differ from it in quotes and
escapes, and a password that differs by one backslash is another password.
"""

import re
from collections.abc import Mapping

_ASSIGNMENT = re.compile(
    r"""[^\S\n]*(?:export[^\S\n]+)?(?P<name>[\w.-]+)[^\S\n]*=[^\S\n]*(?:
        '(?P<literal>(?:\\.|[^'\\])*)'
      | "(?P<escaped>(?:\\.|[^"\\])*)"
      | (?P<plain>[^\n]*)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\", "$": "$"}


def render(variables: Mapping[str, str]) -> bytes:
    """Write variables as an env file for `docker compose --env-file`.

    Single quotes are literal to Compose; a value that cannot stand in them is double-quoted, with `\\`, `"`, `$`
    and line breaks escaped.
    """
    return "".join(f"{name}={_quote(variables[name])}\n" for name in sorted(variables)).encode()


def parse(text: str) -> dict[str, str]:
    """Parse an env file; names without a value are left out, nothing is interpolated."""
    values = {}
    position = len(text) - len(text.removeprefix("\ufeff"))  # some editors begin a file with this mark
    while position < len(text):
        if found := _ASSIGNMENT.match(text, position):
            values[found["name"]] = _value(found)
            position = found.end()
        line_end = text.find("\n", position)
        position = len(text) if line_end < 0 else line_end + 1
    return values


def _value(found: re.Match[str]) -> str:
    if found["literal"] is not None:
        return found["literal"].replace("\\'", "'")
    if found["escaped"] is not None:
        return _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[0]), found["escaped"])
    return re.sub(r"\s#.*", "", found["plain"]).rstrip()


def _quote(value: str) -> str:
    if "'" not in value and "\n" not in value and "\r" not in value and not value.endswith("\\"):
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r") + '"'
