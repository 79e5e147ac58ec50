"""What a service starts: its command line as simple commands, and which of their words reload the program."""

import re
import shlex
import string
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

# Programs that do nothing but start another anew when its source changes, or wait for a debugger.
_RELOADERS = ("nodemon", "watchmedo", "watchfiles", "debugpy", "ts-node-dev")
# A flag reloads source only where one of these programs reads it: `caddy run --watch` looks at its configuration.
_PYTHON_SERVERS = ("uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "sanic", "flask", "fastapi", "litestar")
# What starts a Python program of the stack's own: `python -m agents.serve --reload`.
_PYTHON = ("python", "poetry", "pipenv", "pdm", "hatch", "uv")
_JAVASCRIPT = (
    "node", "deno", "bun", "bunx", "tsx", "tsc", "ts-node", "nest", "next", "vite", "webpack", "webpack-dev-server",
    "rollup", "esbuild", "parcel", "npm", "npx", "yarn", "pnpm", "ng",
)  # fmt: skip
_FLAGS = {"--reload": (*_PYTHON_SERVERS, *_PYTHON), "--watch": _JAVASCRIPT, "--hot": _JAVASCRIPT}
# Words that a program may stand behind without being somebody's argument.
_STARTERS = (
    "sh", "bash", "ash", "dash", "env", "exec", "nice", "time", "sudo", "tini", "dumb-init", "catatonit", "python",
    "node", "npx", "npm", "yarn", "pnpm", "bun", "bunx", "deno", "poetry", "pipenv", "pdm", "hatch", "uv", "run",
    "x", "dlx",
)  # fmt: skip
_BETWEEN = re.compile(r"[;&|()\n]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def reloading_words(words: Sequence[str]) -> tuple[str, ...]:
    """The words that make a service run its source instead of its image, each once.

    Args:
        words: entrypoint and command, as Compose resolves them.
    """
    found = (word for command in simple_commands(words) for word in _reloading(command))
    return tuple(dict.fromkeys(found))


def simple_commands(words: Iterable[str]) -> Iterator[list[str]]:
    """Each program with its arguments; a shell's script (`sh -c "a; b"`) is one word to Compose and is taken apart."""
    outer: list[str] = []
    for word in words:
        if len(word.split()) > 1:
            first, *others = (_split(part) for part in _BETWEEN.split(word))
            yield [*outer, *first]
            yield from (command for command in others if command)
            outer = []
        else:
            outer.append(word)
    if outer:
        yield outer


def _reloading(command: Sequence[str]) -> Iterator[str]:
    before: set[str] = set()
    only_starters = True
    for word in command:
        name, flag = _program(word), word.split("=")[0]
        if not before.isdisjoint(_FLAGS.get(flag, ())):
            yield flag
        elif name in _RELOADERS and only_starters:
            yield name
        before.add(name)
        only_starters = only_starters and _starts_another(word)


def _starts_another(word: str) -> bool:
    return word.startswith("-") or bool(_ASSIGNMENT.match(word)) or _program(word) in _STARTERS


def _program(word: str) -> str:
    """A program's name without its directory and version: `/usr/bin/python3.12` is python."""
    return PurePosixPath(word).name.rstrip(f"{string.digits}.")


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quotation mark that stands alone
        return text.split()
