"""Writes the pages that are made from the code, without importing it: `make docs`.

Change the code, or the words here; never the pages. tests/unit/project/test_docs_generated.py compares them.
"""

import ast
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
DOCS = CHECKOUT / "docs"
MADE = "<!-- Made from the code by `make docs`. Change the code, or docs/generate.py; not this page. -->"

# Subject of flows/core/errors → the commands that can end with its errors.
FAMILIES = {
    "base": "every command",
    "stack": "`release`, `build-push`, `environment set`; on a droplet also `deploy`, `promote`, `deploy-home`",
    "release": "`release`, `build-push`; where a release is fetched also `deploy`, `promote`, `deploy-home`",
    "registry": "`registry gc`, `registry retention`",
    "droplet": "every command that changes a droplet",
    "deploy": "`release`, `deploy`, `validate`, `deploy-home`, `promote`, `rollback`, `reconcile`",
    "trust": "`keys`, `provenance`; where releases are signed or verified `release`, `build-push`, `deploy`, "
    "`deploy-home`, `promote`, `rehearse`, `rollback`, `reconcile`",
    "records": "`rollback`, `reconcile`, `history`, `status`, and every command that changes a droplet",
    "prune": "`prune`, `system-prune`",
    "traffic": "`promote`, `plan`, `gates`, `watch`, `switch-back`, `approve`, `edge`, `release --promote`, "
    "`deploy-home`, `adopt`",
    "control": "runs of deployments; `automations`, `alert-receiver`, `debug-agent`, `trigger`",
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
| 3 | A person said no, or nobody answered in time; traffic stays. Of `slipway gates`: inconclusive. |
| 4, 5, 6, 7 | Of `slipway trigger`: the run was cancelled, timed out, gave way to a newer one, waits for an answer. |
| {bug} | A bug of Slipway's: an error that it does not know. `--verbose` prints where. |
| {interrupted} | Interrupted (Ctrl-C, SIGTERM). The same command again finishes or repeats the work. |

`slipway gates` ends with 0 for pass, 1 for fail, 3 for inconclusive.

Where a failure was followed by a rollback, the error keeps its name, its text tells both stories, and the code is 1.
"""
EVENTS = CHECKOUT / "flows/core/control/events.py"
# Fields that every event fills, and what a verdict's own events say.
ALWAYS = ("version", "stack", "destination", "by", "run", "run_url")
VERDICTS = {"passed": "pass", "failed": "fail", "inconclusive": "inconclusive", "answered": "approve"}
EVENTS_HEAD = """# Events

What happens in a run is told to Prefect's event bus (`flows/core/control/events.py`): the Prefect UI shows it under
Events, and triggers start other deployments by it. Emitting never fails or delays a run; without the address of a
Prefect server nothing is emitted. Secrets are masked.

The resource of each event is the stack, `prefect.resource.id: slipway.stack.STACK`, with the labels `slipway.stack`,
`slipway.destination` and `slipway.tag`. Related are, where the event is about one, the release
(`slipway.release.STACK.TAG`, role `release`), the destination (`slipway.destination.NAME`, role `destination`), the
droplet (`slipway.droplet.NAME`, role `droplet`) and the outermost flow run (role `flow-run`). Prefect adds the flow,
the deployment, its tags and the work pool. A character of an id that is not a letter, a digit, `.`, `_` or `-` becomes
`-`.

Each event is emitted once for each time it happens, whichever command or deployment it happens in: a promotion that
`release --promote` makes emits what `promote` emits. A run that is cancelled, or whose process dies, emits
`slipway.run.interrupted` and not the event of a failure.
"""
PAYLOAD_HEAD = 'Every event has every field; one that says nothing there is `""`.'
TRIGGERS = """## Triggers

prefect.yaml has these, and each is off until somebody wants it: set `enabled: true` there and deploy again
(`prefect deploy --name NAME`), or turn it on in the Prefect UI under Automations; there it is off again after the next
`prefect deploy` of its deployment.

| trigger | event | starts |
| --- | --- | --- |
| `slipway: promote what is published` | `slipway.release.published` | `promote` of that release, by its digest |
| `slipway: ask for production` | `slipway.promoted` | `promote` with `approval: always` |
| `slipway: switch back on an alert` | `slipway.alert.firing` with the label `action: switch-back` | `switch-back` |
| `slipway: roll back on an alert` | `slipway.alert.firing` with the label `action: rollback` | `rollback` |
| `slipway: reconcile on drift` | `slipway.drift.found` | `reconcile` |

A watch that fails sends traffic back in the same run, and needs no trigger; `slipway.watch.failed` tells of it.

A trigger of your own matches the labels of the stack, and hands the payload on:

```yaml
triggers:
  - name: promote what staging took
    enabled: true
    expect: [slipway.promoted]
    match:
      slipway.stack: shop
      slipway.destination: staging
    parameters:
      stack: "{{ event.payload.stack }}"
      tag: "{{ event.payload.tag }}"
```

## Alerts

`slipway alert-receiver` serves one address on this machine that Alertmanager's webhook posts to, and emits
`slipway.alert.firing` and `slipway.alert.resolved` for what it says. Of an alert's labels `stack`, `droplet` and
`colour` become the fields of that name, and `action` a label of the event's resource, `slipway.action`.

```yaml
receivers:
  - name: slipway
    webhook_configs:
      - url: http://127.0.0.1:9095/alerts
        http_config:
          authorization:
            credentials_file: /etc/alertmanager/slipway-token
```
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


def event_kinds() -> list[tuple[str, str, tuple[str, ...]]]:
    """Name, occasion and fields of every kind of event, as the code declares them."""
    calls = [node.value for node in tree_of(EVENTS).body if isinstance(node, ast.Assign)]
    found = [call for call in calls if isinstance(call, ast.Call) and ast.unparse(call.func) == "EventKind"]
    read = [[ast.literal_eval(argument) for argument in call.args] for call in found]
    return [(name, when, tuple(*fields)) for name, when, *fields in read]


def payload_fields() -> dict[str, tuple[str, str | int]]:
    """Field of a payload → its description and an example."""
    payload = next(node for node in tree_of(EVENTS).body if isinstance(node, ast.ClassDef))
    found = {}
    for node in payload.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call):
            said = {one.arg: ast.literal_eval(one.value) for one in node.value.keywords}
            found[ast.unparse(node.target)] = (said["description"], said["examples"][0])
    return found


def events_page() -> str:
    """docs/EVENTS.md: every event, its occasion and its payload."""
    fields = payload_fields()
    parts = [MADE, "", EVENTS_HEAD, "## The events", "", "| event | emitted when |", "| --- | --- |"]
    parts += [f"| `{name}` | {cell(when)} |" for name, when, _ in event_kinds()]
    parts += ["", "## The payload", "", PAYLOAD_HEAD, "", "| field | says |", "| --- | --- |"]
    parts += [f"| `{name}` | {cell(description)} |" for name, (description, _) in fields.items()]
    parts += ["", "## Examples", "", "One payload each, without the fields that say nothing there."]
    for name, _, own in event_kinds():
        shown = {key: example for key, (_, example) in fields.items() if key in (*own, *ALWAYS)}
        if "verdict" in own and name.rpartition(".")[2] in VERDICTS:
            shown["verdict"] = VERDICTS[name.rpartition(".")[2]]
        parts += ["", f"### `{name}`", "", "```json", json.dumps(shown, indent=2, ensure_ascii=False), "```"]
    return "\n".join([*parts, "", TRIGGERS]) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "ERRORS.md": errors_page,
    "EVENTS.md": events_page,
    "MAP.md": acting_map,
    "MAP_CORE.md": core_map,
}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (DOCS / name).write_text(make())
        print(f"wrote docs/{name}")
