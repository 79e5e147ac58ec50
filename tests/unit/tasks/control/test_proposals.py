"""What `slipway init` finds in a repository, and that Compose and a release read the same afterwards."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from flows.core.errors import FileChanged, StackNotFound
from flows.settings import Settings
from flows.tasks.control.proposals import find_beginning, write_change
from flows.tasks.explanation.explain_stack import explain_stack
from tests.stacks.cases import CASES
from tests.support.stack.compose_client import needs_compose, write_files

pytestmark = pytest.mark.unit
FILES = sorted(CASES.glob("*/*compose*.y*ml"))
API = "services:\n  api:\n    image: x\n    healthcheck: {test: curl http://localhost:80/up}\n"
DB = "services:\n  db:\n    image: postgres\n"


def begin(directory: Path, *stack: str) -> dict[str, str]:
    """Write all that is proposed; returns the changed files."""
    found = find_beginning(":".join(str(directory / one) for one in stack) if stack else str(directory))
    for change in found.changes:
        write_change(change)
    return {str(change.path.relative_to(directory)): change.after.decode() for change in found.changes}


def as_compose_reads(directory: Path, name: str) -> object:
    argv = [Settings().docker, "compose", "-f", name, "config", "--format", "json", "--no-env-resolution"]
    answer = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    if answer.returncode:
        return answer.stderr
    config = json.loads(answer.stdout)
    for service in config["services"].values():
        service.pop("x-slipway", None)
    return config


def refusals(path: Path) -> list[str]:
    """What a release would refuse, without the numbers of lines, which move, and without places of one reading."""
    said = explain_stack(str(path), None, Settings()).refusals
    return [f"{one.error}: {re.sub(r':[0-9]+|reading-[a-z0-9_]+', '', one.message)}" for one in said]


@needs_compose
@pytest.mark.skipif(not FILES, reason="the shared cases do not lie beside the checkout")
@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_real_stack_is_read_as_before_and_released_or_refused_as_before(file, tmp_path):
    place = tmp_path / file.parent.name
    shutil.copytree(file.parent, place, symlinks=True)
    before = as_compose_reads(place, file.name), refusals(place / file.name)
    begin(place, file.name)
    assert (as_compose_reads(place, file.name), refusals(place / file.name)) == before


def test_the_second_time_there_is_nothing_to_do_and_it_says_what_is_left(tmp_path):
    write_files(tmp_path, {"compose.yaml": API})
    assert begin(tmp_path).keys() == {"compose.yaml", "slipway.toml"}
    found = find_beginning(str(tmp_path))
    assert not found.changes
    assert found.left == ("api: x-slipway is there already", "slipway.toml is there already")


def test_each_service_is_changed_in_the_file_that_defines_it(tmp_path):
    write_files(tmp_path, {"a.yaml": "services: {api: {restart: always}}\ninclude: [in/db.yaml]\n", "b.yaml": API,
                           "in/db.yaml": DB})  # fmt: skip
    assert begin(tmp_path, "a.yaml", "b.yaml").keys() == {"b.yaml", "in/db.yaml", "slipway.toml"}


def test_what_a_service_extends_counts_and_what_it_would_wrongly_inherit_is_handed_back(tmp_path):
    base = "services:\n  base:\n    image: x\n    volumes: [v:/v]\n    healthcheck: {test: curl http://localhost/up}\n"
    heir = "include: [base.yaml]\nservices:\n  api:\n    extends: {service: base, file: base.yaml}\n"
    write_files(tmp_path, {"compose.yaml": heir, "base.yaml": base})
    written = begin(tmp_path)
    assert "health: /up\n      data: home" in written["compose.yaml"]
    write_files(tmp_path, {"compose.yaml": heir + "    x-slipway: {port: 1}\n", "base.yaml": base})
    assert [one.service for one in find_beginning(str(tmp_path)).unplaced] == ["base"]


def test_an_include_that_is_not_here_does_not_stop_it(tmp_path):
    write_files(tmp_path, {"compose.yaml": f"include: ['${{ELSEWHERE}}/x.yaml']\n{API}"})
    assert "health: /up" in begin(tmp_path)["compose.yaml"]


def test_a_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path):
    write_files(tmp_path, {"real.yaml": API})
    (tmp_path / "real.yaml").chmod(0o640)
    (tmp_path / "compose.yaml").symlink_to("real.yaml")
    begin(tmp_path)
    assert (tmp_path / "compose.yaml").is_symlink()
    assert (tmp_path / "real.yaml").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["compose.yaml", "real.yaml", "slipway.toml"]


def test_what_somebody_wrote_meanwhile_is_left(tmp_path):
    write_files(tmp_path, {"compose.yaml": API})
    stack, settings = find_beginning(str(tmp_path)).changes
    write_files(tmp_path, {"compose.yaml": DB, "slipway.toml": "mine"})
    for change in (stack, settings):
        with pytest.raises(FileChanged):
            write_change(change)
    assert (tmp_path / "compose.yaml").read_text() == DB
    assert (tmp_path / "slipway.toml").read_text() == "mine"


def test_without_a_compose_file_it_is_refused(tmp_path):
    with pytest.raises(StackNotFound):
        find_beginning(str(tmp_path))
