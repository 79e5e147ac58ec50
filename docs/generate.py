"""Writes the pages that are made from the code, without importing it: `make docs`.

Change the code, or the words here; never the pages. tests/unit/project/test_docs_generated.py compares them.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.event_page import events_page

CHECKOUT = Path(__file__).resolve().parents[1]
DOCS = CHECKOUT / "docs"
MADE = "<!-- Made from the code by `make docs`. Change the code, or docs/generate.py; not this page. -->"

# Subject of flows/core/errors → the commands that can end with its errors.
FAMILIES = {
    "base": "every command",
    "stack": "`release`, `build-push`, `environment set`; on a droplet also `deploy`, `promote`, `deploy-home`",
    "release": "`release`, `build-push`; where a release is fetched also `deploy`, `promote`, `deploy-home`",
    "registry": "`registry gc`, `registry retention`",
    "droplet": "every command that changes a droplet; `setup`",
    "deploy": "`release`, `deploy`, `validate`, `deploy-home`, `promote`, `rollback`, `reconcile`",
    "trust": "`keys`, `provenance`; where releases are signed or verified `release`, `build-push`, `deploy`, "
    "`deploy-home`, `promote`, `rehearse`, `rollback`, `reconcile`",
    "records": "`rollback`, `reconcile`, `history`, `status`, and every command that changes a droplet",
    "prune": "`prune`, `system-prune`",
    "traffic": "`promote`, `plan`, `gates`, `watch`, `switch-back`, `approve`, `edge`, `release --promote`, "
    "`deploy-home`, `adopt`",
    "control": "runs of deployments; `setup`, `server`, `automations`, `alert-receiver`, `debug-agent`, `trigger`",
    "cloud": "`provision`, `decommission`, `rehearse`",
}
ERRORS_HEAD = """# Errors and exit codes

An error is shown as `✗ NAME: text` in the terminal, and as the message of the failed run in the Prefect UI. The text
says what happened, where, and the next command to run. What to do about the frequent ones: docs/TROUBLESHOOTING.md.

## Exit codes of `slipway`

| code | meaning |
| --- | --- |
| 0 | Done. |
| 1 | Work was begun and failed; the text says what runs now. Of `slipway check`: a block cannot be reached. |
| 2 | Refused; nothing was changed. Also for bad options or settings, and where no Prefect server answers. |
| 3 | A person said no, or nobody answered in time: what runs stays. Of `slipway gates`: inconclusive. |
| 4, 5, 6, 7 | Of `slipway trigger`: the run was cancelled, timed out, gave way to a newer one, waits for an answer. |
| {bug} | A bug of Slipway's: an error that it does not know. `--verbose` prints where. |
| {interrupted} | Interrupted (Ctrl-C, SIGTERM). The same command again finishes or repeats the work. |

`slipway gates` ends with 0 for pass, 1 for fail, 3 for inconclusive.

Where a failure was followed by a rollback, the error keeps its name, its text tells both stories, and the code is 1.
"""
OUTSIDE_HEAD = """## Outside systems

Raised by the blocks (`blocks/errors.py`), so by every command that uses that system.
"""


@dataclass(frozen=True)
class ErrorClass:
    """An error as its class describes it."""

    name: str
    base: str
    description: str
    exit_code: int | None

    def row(self, codes: dict[str, int]) -> str:
        """Its row in a table."""
        return f"| `{self.name}` | {cell(self.description)} | {codes[self.name]} |"


def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), str(path))


def first_paragraph(node: ast.Module | ast.ClassDef) -> str:
    """The description up to its first empty line, as one line."""
    return " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())


def cell(text: str) -> str:
    """Text as a cell of a Markdown table."""
    return text.replace("|", "\\|")


def error_classes(path: Path) -> list[ErrorClass]:
    """The error classes of a module, in their order."""
    found = []
    for node in tree_of(path).body:
        if isinstance(node, ast.ClassDef):
            codes = [
                part.value.value
                for part in node.body
                if isinstance(part, ast.Assign)
                and ast.unparse(part.targets[0]) == "exit_code"
                and isinstance(part.value, ast.Constant)
            ]
            code = codes[0] if codes and isinstance(codes[0], int) else None
            found.append(ErrorClass(node.name, ast.unparse(node.bases[0]), first_paragraph(node), code))
    return found


def exit_codes(classes: list[ErrorClass]) -> dict[str, int]:
    """Class → its exit code: its own, or that of the class it is derived from."""
    known: dict[str, int] = {}
    for one in classes:
        known[one.name] = one.exit_code if one.exit_code is not None else known[one.base]
    return known


def constant(path: Path, name: str) -> int:
    """The value of a number that a module defines."""
    for node in tree_of(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return int(ast.literal_eval(node.value))
    raise LookupError(f"{path} defines no {name}")


def errors_page() -> str:
    """docs/ERRORS.md: every error that the command line can end with, by subject."""
    runner = CHECKOUT / "flows/cli/terminal/runner.py"
    head = ERRORS_HEAD.format(bug=constant(runner, "BUG"), interrupted=constant(runner, "INTERRUPTED"))
    folder = CHECKOUT / "flows/core/errors"
    bases = error_classes(folder / "base.py")
    parts = [MADE, "", head]
    for subject, commands in FAMILIES.items():
        path = folder / f"{subject}.py"
        classes = error_classes(path)
        codes = exit_codes([*bases, *classes])
        title = "All commands" if subject == "base" else subject.capitalize()
        shown = [one for one in classes if one.name not in ("SlipwayError", "Refused")]
        parts += [f"## {title}", "", f"{commands[0].upper()}{commands[1:]} (`{path.relative_to(CHECKOUT)}`).", ""]
        parts += ["| error | raised when | exit code |", "| --- | --- | --- |"]
        parts += [*(one.row(codes) for one in shown), ""]
    return "\n".join([*parts, *outside_errors()]) + "\n"


def outside_errors() -> list[str]:
    """The errors of blocks/errors.py, each with the blocks that raise it."""
    classes = error_classes(CHECKOUT / "blocks/errors.py")
    codes = exit_codes(classes)
    rows = []
    for one in classes[1:]:
        raised = ", ".join(systems_that_raise(one.name)) or "the flows"
        kind = f" (a kind of `{one.base}`)" if one.base != "OutsideError" else ""
        rows.append(f"| `{one.name}`{kind} | {cell(one.description)} | {raised} | {codes[one.name]} |")
    return [OUTSIDE_HEAD, "| error | raised when | raised by | exit code |", "| --- | --- | --- | --- |", *rows]


def systems_that_raise(name: str) -> list[str]:
    """The parts of `blocks` that make an error of this class."""
    found = set()
    for path in modules("blocks"):
        calls = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call))
        if any(ast.unparse(call.func) == name for call in calls):
            found.add(path.relative_to(CHECKOUT).parts[1].removesuffix(".py"))
    return sorted(found)


def modules(folder: str) -> Iterator[Path]:
    """Every module below a folder, packages themselves aside."""
    yield from (path for path in sorted((CHECKOUT / folder).rglob("*.py")) if path.name != "__init__.py")


def map_page(title: str, words: str, layers: dict[str, str]) -> str:
    """A map: every module of these folders with the first sentence of its description."""
    parts = [MADE, "", f"# {title}", "", words]
    for folder, meaning in layers.items():
        parts += ["", f"## {folder}/", "", meaning, "", "| module | is |", "| --- | --- |"]
        here = CHECKOUT / folder
        parts += [module_row(path, path.name) for path in sorted(here.glob("*.py")) if path.name != "__init__.py"]
        if folder != "flows":
            for package in sorted(path.parent for path in here.rglob("__init__.py") if path.parent != here):
                parts.append(f"| **{package.relative_to(here)}/** | **{cell(sentence(package / '__init__.py'))}** |")
                inside = sorted(path for path in package.glob("*.py") if path.name != "__init__.py")
                parts += [module_row(path, str(path.relative_to(here))) for path in inside]
    return "\n".join(parts) + "\n"


def module_row(path: Path, name: str) -> str:
    """A module's row."""
    return f"| `{name}` | {cell(sentence(path))} |"


def sentence(path: Path) -> str:
    """The first sentence of a module's description."""
    return first_paragraph(tree_of(path)).partition(". ")[0].removesuffix(".")


def acting_map() -> str:
    """docs/MAP.md: everything that acts."""
    words = (
        "Every module that does something, with the first sentence of its description. The rules it goes by: "
        "docs/MAP_CORE.md. What may import what: docs/ARCHITECTURE.md."
    )
    layers = {
        "flows": "The deployments of prefect.yaml, one file each, and beside them hooks.",
        "flows/settings": "What may be set, the files it is read from, and what a run has chosen.",
        "flows/cli": "The terminal: which commands there are, and what they print.",
        "flows/tasks": "The steps that a person sees in the Prefect UI. A folder is a subject.",
        "blocks": "Outside systems: credentials, and the client that uses them.",
    }
    return map_page("Map: flows, commands, steps, blocks", words, layers)


def core_map() -> str:
    """docs/MAP_CORE.md: everything that decides."""
    words = "Every module of the rules. What acts on them: docs/MAP.md."
    return map_page(
        "Map: the rules",
        words,
        {"flows/core": "Functions from values to values: no Prefect, no I/O. A folder is a subject."},
    )


PAGES: dict[str, Callable[[], str]] = {
    "ERRORS.md": errors_page,
    "EVENTS.md": lambda: f"{MADE}\n\n{events_page()}",
    "MAP.md": acting_map,
    "MAP_CORE.md": core_map,
}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (DOCS / name).write_text(make())
        print(f"wrote docs/{name}")
