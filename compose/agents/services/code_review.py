"""code-review: parses Python and reports what it finds. Nothing is guessed: each finding has a line and a rule."""

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

from agents.common.app import Agent
from agents.common.fields import Fields

LANGUAGES = {"python": "python", "py": "python"}
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)

agent = Agent("code-review")


class Finding(NamedTuple):
    """One thing to look at."""

    line: int
    rule: str
    severity: str
    message: str


@agent.workflow("POST", "/review")
def review(fields: Fields) -> dict[str, Any]:
    """The findings in ``code``, in the order of its lines."""
    language = LANGUAGES[fields.choice("language", LANGUAGES, "python")]
    issues = [finding._asdict() for finding in sorted(find(fields.text("code")))]
    return {"language": language, "issues": issues, "approved": all(i["severity"] != "error" for i in issues)}


def find(code: str) -> list[Finding]:
    """All findings in ``code``; a syntax error is the only one where there is one."""
    try:
        tree = ast.parse(code)
        return [finding for rule in RULES for finding in rule(tree)]
    except UNPARSABLE as problem:
        line = getattr(problem, "lineno", None) or 1
        what = getattr(problem, "msg", None) or str(problem) or type(problem).__name__
        return [Finding(line, "syntax-error", "error", f"does not parse: {what}")]


def handlers(tree: ast.Module) -> Iterator[Finding]:
    """``except:`` without a type, and handlers that swallow what they catch."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            if node.type is None:
                message = "a bare except also catches KeyboardInterrupt and SystemExit"
                yield Finding(node.lineno, "bare-except", "error", message)
            if all(isinstance(statement, ast.Pass) for statement in node.body):
                yield Finding(node.lineno, "swallowed-error", "warning", "the error is caught and forgotten")


def defaults(tree: ast.Module) -> Iterator[Finding]:
    """Defaults that all calls share."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                made = isinstance(default, ast.Call) and _name(default.func) in ("list", "dict", "set")
                if made or isinstance(default, ast.List | ast.Dict | ast.Set):
                    assert default is not None
                    message = "a mutable default is shared by all calls"
                    yield Finding(default.lineno, "mutable-default", "error", message)


def calls(tree: ast.Module) -> Iterator[Finding]:
    """Calls that run what they are given."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if _name(node.func) in ("eval", "exec"):
            yield Finding(node.lineno, "dynamic-code", "error", f"{_name(node.func)}() runs whatever it is given")
        if any(word.arg == "shell" and getattr(word.value, "value", 0) is True for word in node.keywords):
            yield Finding(node.lineno, "shell", "error", "shell=True hands the arguments to a shell")


def comparisons(tree: ast.Module) -> Iterator[Finding]:
    """``== None`` where ``is None`` is meant, and assertions that cannot fail."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for operator, right in zip(node.ops, node.comparators, strict=True):
                if isinstance(operator, ast.Eq | ast.NotEq) and getattr(right, "value", 0) is None:
                    yield Finding(node.lineno, "none-comparison", "warning", "compare with None by 'is'")
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Tuple) and node.test.elts:
            yield Finding(node.lineno, "true-assertion", "error", "a tuple is always true: this never fails")


def imports(tree: ast.Module) -> Iterator[Finding]:
    """Names that are imported and never used. What ``__all__`` lists is used."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | _exported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                if name not in used and name != "*":
                    yield Finding(node.lineno, "unused-import", "warning", f"'{name}' is imported and never used")


def docstrings(tree: ast.Module) -> Iterator[Finding]:
    """Public functions and classes at the top that do not say what they are for."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if not node.name.startswith("_") and not ast.get_docstring(node):
            yield Finding(node.lineno, "missing-docstring", "info", f"'{node.name}' has no docstring")


def _exported(tree: ast.Module) -> set[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(_name(target) == "__all__" for target in node.targets):
            names = (item.value for item in ast.walk(node.value) if isinstance(item, ast.Constant))
            return {name for name in names if isinstance(name, str)}
    return set()


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


RULES = (handlers, defaults, calls, comparisons, imports, docstrings)
app = agent.app()
