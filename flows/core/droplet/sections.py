"""A script's output as named sections."""

from collections.abc import Mapping

Row = tuple[str, ...]
_MARK = "@@slipway:"


def section_script(sections: Mapping[str, str]) -> str:
    """A script that prints what each command says under its section's name; a command may fail."""
    said = [f"printf '\\n{_MARK}{name}\\n'\n({command})" for name, command in sections.items()]
    return "\n".join([*said, "true", ""])


def sections(output: str) -> dict[str, str]:
    """Split a script's output at its marks: name → what stood below it."""
    parts: dict[str, list[str]] = {}
    current: list[str] = []
    for line in output.split("\n"):  # not splitlines(), which also splits at what JSON strings may hold
        if line.startswith(_MARK):
            current = parts.setdefault(line.removeprefix(_MARK), [])
        else:
            current.append(line)
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}


def read_rows(text: str) -> tuple[Row, ...]:
    """Lines of fields between tabs."""
    return tuple(tuple(line.split("\t")) for line in text.splitlines() if line)
