"""Scripts whose output comes in named sections."""

import shlex
from collections.abc import Collection, Mapping

Row = tuple[str, ...]
_MARK = "@@slipway:"


def section_script(sections: Mapping[str, str], required: Collection[str] = ()) -> str:
    """A script that prints the output of each command under its section's name; a command may fail.

    Args:
        required: sections whose command runs in the script's own shell: it may end the script, and the commands below
            it know what it set.
    """
    commands = {name: command if name in required else f"({command})" for name, command in sections.items()}
    printed = [f"printf '\\n%s\\n' {shlex.quote(_MARK + name)}\n{command}" for name, command in commands.items()]
    return "\n".join([*printed, "true", ""])


def sections(output: str) -> dict[str, str]:
    """Split a script's output at its marks: name → the text below it."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in output.split("\n"):  # not splitlines(), which also splits at what JSON strings may hold
        if line.startswith(_MARK):
            current = parts.setdefault(line.removeprefix(_MARK), [])
        else:
            current.append(line)
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}


def read_rows(text: str) -> tuple[Row, ...]:
    """Parse lines of fields separated by tabs."""
    return tuple(tuple(line.split("\t")) for line in text.splitlines() if line)
