"""Places in the code that pages name: each exists, and each place of the tour calls what its row says."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests import CHECKOUT

pytestmark = pytest.mark.unit
PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md")])
_PLACE = re.compile(r"(?<![\w./-])((?:flows|blocks|tests|compose|docs|benchmarks)/[\w./-]*\w/?)(?::([A-Za-z_][\w.]*))?")
# In recipes: a place that the reader makes, such as flows/NAME.py.
_OWN = re.compile(r"\b(NAME|SUBJECT)\b|NAME_|_NAME|SUBJECT_")


def places(text: str) -> list[tuple[str, str]]:
    """Every path of the checkout that a text names, with what it names in it ('' for the file alone)."""
    return [(path, name.rstrip(".")) for path, name in _PLACE.findall(text) if not _OWN.search(path)]


@cache
def definitions(path: Path) -> dict[str, ast.stmt]:
    """Everything that a module defines, by its dotted name."""
    return dict(named(ast.parse(path.read_text()).body))


def named(body: list[ast.stmt], prefix: str = "") -> list[tuple[str, ast.stmt]]:
    found: list[tuple[str, ast.stmt]] = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append((prefix + node.name, node))
        elif isinstance(node, ast.Assign):
            found += [(prefix + ast.unparse(target), node) for target in node.targets]
        elif isinstance(node, ast.AnnAssign):
            found.append((prefix + ast.unparse(node.target), node))
        if isinstance(node, ast.ClassDef):
            found += named(node.body, f"{prefix}{node.name}.")
    return found


def missing(path: str, name: str) -> bool:
    file = CHECKOUT / path
    return not file.exists() or (bool(name) and (file.suffix != ".py" or name not in definitions(file)))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_place_that_a_page_names_exists(page: Path):
    named_here = places(page.read_text())
    assert [f"{path}:{name}" for path, name in named_here if missing(path, name)] == []


def test_a_place_that_is_not_there_would_be_noticed():
    text = "`flows/release.py:relase`, `flows/relase.py`, flows/release.py:release and `flows/NAME.py`."
    assert [missing(*place) for place in places(text)] == [True, True, False]


TOUR = (CHECKOUT / "docs" / "TOUR.md").read_text()
ROWS = [line.split(" | ") for line in TOUR.splitlines() if line.startswith("| `flows/") and line.count(" | ") == 2]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("|` "))
def test_each_place_of_the_tour_calls_what_its_row_says(row: list[str]):
    (path, name), *others = places(row[0])
    node = definitions(CHECKOUT / path)[name]
    used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    used |= {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    called = [other.rpartition(".")[2] for _, other in places(row[1])]
    assert others == []
    assert called
    assert [other for other in called if other not in used] == []


def test_the_tour_is_read_whole():
    assert len(ROWS) > 40
    assert {path for path, _ in places(TOUR)} >= {"flows/release.py", "flows/deploy.py", "flows/validate.py"}
