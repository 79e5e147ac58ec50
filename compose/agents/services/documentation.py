"""documentation: reference pages from the signatures and docstrings of parsed Python."""

import ast
import html
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from agents.common.app import Agent
from agents.common.fields import Fields, Refused

agent = Agent("documentation")


class Entry(NamedTuple):
    """One public thing: its qualified name, the signature to show, what its docstring says."""

    name: str
    signature: str
    text: str


@agent.workflow("POST", "/generate-docs")
def generate(fields: Fields) -> dict[str, Any]:
    """The documentation of ``code`` in ``format``."""
    render = FORMATS[(chosen := fields.choice("format", FORMATS, "markdown"))]
    try:
        tree = ast.parse(fields.text("code"))
        entries = list(public(tree.body))
        documentation = render(ast.get_docstring(tree) or "", entries)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        raise Refused(f"field 'code' does not parse as Python: {problem}") from None
    return {"documentation": documentation, "format": chosen, "documented": [entry.name for entry in entries]}


def public(body: list[ast.stmt], inside: str = "") -> Iterator[Entry]:
    """The public classes, methods and functions of ``body``, in its order."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        name = f"{inside}{node.name}"
        yield Entry(name, _signature(node, name), ast.get_docstring(node) or "Not documented.")
        if isinstance(node, ast.ClassDef):
            yield from public(node.body, f"{name}.")


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, name: str) -> str:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(map(ast.unparse, node.bases))
        return f"class {name}({bases})" if bases else f"class {name}"
    keyword = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{keyword} {name}({ast.unparse(node.args)}){returns}"


def markdown(intro: str, entries: list[Entry]) -> str:
    """Headings, fenced signatures, docstrings."""
    parts = [intro or "# Reference"]
    for entry in entries:
        parts += [f"## `{entry.name}`", f"```python\n{entry.signature}\n```", entry.text]
    return "\n\n".join(parts) + "\n"


def page(intro: str, entries: list[Entry]) -> str:
    """One HTML page; everything from the code is escaped."""
    sections = "".join(
        f'<section id="{html.escape(entry.name)}"><h2>{html.escape(entry.name)}</h2>\n'
        f"<pre><code>{html.escape(entry.signature)}</code></pre>\n<p>{html.escape(entry.text)}</p></section>\n"
        for entry in entries
    )
    start = '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Reference</title></head><body>\n'
    return f"{start}<p>{html.escape(intro)}</p>\n{sections}</body></html>\n"


def rst(intro: str, entries: list[Entry]) -> str:
    """Directives of Sphinx's Python domain."""
    parts = [intro or "Reference\n========="]
    for entry in entries:
        kind, _, rest = entry.signature.removeprefix("async ").partition(" ")
        directive = "class" if kind == "class" else "function"
        body = "\n".join(f"   {line}".rstrip() for line in entry.text.splitlines())
        parts.append(f".. py:{directive}:: {rest}\n\n{body}")
    return "\n\n".join(parts) + "\n"


FORMATS: dict[str, Callable[[str, list[Entry]], str]] = {"markdown": markdown, "html": page, "rst": rst}
app = agent.app()
