"""The rules of the house: imports go one way, files and folders stay small, a public name means one thing and is
described, no service of the sample is known by name."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from importlinter.cli import lint_imports

from tests import CHECKOUT

pytestmark = pytest.mark.unit

CODE = sorted([*CHECKOUT.glob("flows/**/*.py"), *CHECKOUT.glob("blocks/**/*.py")])
WRITTEN = {".py", ".sh", ".yml", ".yaml", ".md", ".conf", ".json", ".toml", ""}
LONGEST, FULLEST = 250, 12


def name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@pytest.fixture(scope="module")
def code() -> dict[str, ast.Module]:
    """Every module of flows and blocks, parsed."""
    found = {name(path): ast.parse(path.read_text()) for path in CODE}
    for room, least in (("flows/core/", 60), ("flows/tasks/", 30), ("flows/cli/", 15), ("blocks/", 30)):
        assert len([path for path in found if path.startswith(room)]) >= least
    return found


def definitions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """The public functions and classes of a module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def test_imports_go_one_way(capsys, monkeypatch):
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)  # it would silence everybody else's loggers
    code = lint_imports(config_filename=str(CHECKOUT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert code == 0, capsys.readouterr().out


def files(*rooms: str) -> list[Path]:
    found = [path for room in rooms for path in CHECKOUT.glob(f"{room}/**/*")]
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def test_no_file_is_longer_than_one_noun():
    own = [
        path
        for path in files("flows", "blocks", "tests", "compose")
        if path.suffix in WRITTEN and not path.is_symlink()
    ]
    lengths = {name(path): len(path.read_text().splitlines()) for path in own}
    assert len(lengths) > 100
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_no_folder_has_more_files_than_one_can_remember():
    counts: dict[str, int] = defaultdict(int)
    for path in files("flows", "blocks", "tests"):
        counts[name(path.parent)] += path.name != "__init__.py"
    assert counts.pop("flows") > FULLEST  # one a deployment: tests/unit/project/test_deployments.py
    assert len(counts) > 50
    assert {folder: count for folder, count in counts.items() if count > FULLEST} == {}


def test_a_public_name_means_one_thing(code):
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in code.items():
        for node in definitions(tree):
            places[node.name].append(path)
    assert len(places) > 400
    assert {word: found for word, found in sorted(places.items()) if len(found) > 1} == {}


def test_what_is_public_is_described(code):
    silent = [f"{path}:{node.name}" for path, tree in code.items() for node in definitions(tree)
              if not ast.get_docstring(node)]  # fmt: skip
    assert silent == []
    assert [path for path, tree in code.items() if tree.body and not ast.get_docstring(tree)] == []


def test_every_wait_outside_has_a_limit(code):
    outside = ("httpx.get", "httpx.post", "httpx.request")
    for path, tree in code.items():
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in outside]
        assert all("timeout" in {keyword.arg for keyword in call.keywords} for call in calls), path


def test_no_service_of_the_sample_is_known_by_name():
    services = yaml.safe_load((CHECKOUT / "compose/docker-compose.yml").read_text())["services"]
    spelled = [spelling for service in services for spelling in (service, service.replace("-", "_"))]
    known = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, spelled))})(?![\w-])", re.IGNORECASE)
    lines = [
        f"{name(path)}:{number}: {line.strip()}"
        for path in CODE
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if known.search(line)
    ]
    assert len(services) == 9
    assert lines == []
