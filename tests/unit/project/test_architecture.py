"""The rules of the house: imports go one way, files stay small, no service of the sample is known by name."""

import ast
import re
from pathlib import Path

import pytest
import yaml
from importlinter.cli import lint_imports

from tests import CHECKOUT

pytestmark = pytest.mark.unit

CODE = [*CHECKOUT.glob("flows/**/*.py"), *CHECKOUT.glob("blocks/**/*.py")]
DESCRIBED = [path for path in CODE if path.parent.name in ("core", "blocks")]
WRITTEN = {".py", ".sh", ".yml", ".yaml", ".md", ".conf", ".json", ".toml", ""}
LONGEST = 250


def name(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def test_imports_go_one_way(capsys):
    code = lint_imports(config_filename=str(CHECKOUT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert code == 0, capsys.readouterr().out


def test_no_file_is_longer_than_one_noun():
    found = [path for room in ("flows", "blocks", "tests", "compose") for path in CHECKOUT.glob(f"{room}/**/*")]
    own = [path for path in found if path.is_file() and path.suffix in WRITTEN and "__pycache__" not in path.parts]
    lengths = {name(path): len(path.read_text().splitlines()) for path in own}
    assert len(lengths) > 100
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


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


@pytest.mark.parametrize("path", DESCRIBED, ids=name)
def test_what_is_public_is_described(path):
    tree = ast.parse(path.read_text())
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    silent = [node.name for node in nodes if not node.name.startswith("_") and not ast.get_docstring(node)]
    assert silent == []
    assert ast.get_docstring(tree) or not tree.body


@pytest.mark.parametrize("path", DESCRIBED, ids=name)
def test_every_wait_outside_has_a_limit(path):
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    waiting = [call for call in calls if ast.unparse(call.func) in ("httpx.get", "httpx.post", "httpx.request")]
    assert all("timeout" in {keyword.arg for keyword in call.keywords} for call in waiting)
