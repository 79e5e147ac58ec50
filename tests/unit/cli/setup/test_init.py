"""`slipway init`: what is shown, what is asked, and what is written."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from flows.cli.main import app

pytestmark = pytest.mark.unit
API = (
    "services:\n  api:\n    image: x\n    healthcheck: {test: curl http://localhost:80/up}\n    volumes: [/srv:/srv]\n"
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A repository with a compose file alone, and somebody at the terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("flows.cli.setup.init.is_asked", lambda: True)
    (tmp_path / "compose.yaml").write_text(API)
    return tmp_path


def init(*words: str, answers: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["init", *words], input=answers)
    return result.exit_code, result.output


def test_each_change_is_shown_as_a_diff_and_asked_for(here):
    code, said = init(answers="y\nn\n")
    assert code == 0
    assert "+++ b/compose.yaml" in said
    assert "+      health: /up\n" in said
    assert "Write slipway.toml?" in said
    assert "health: /up" in (here / "compose.yaml").read_text()
    assert not (here / "slipway.toml").exists()


def test_a_dry_run_shows_it_and_writes_nothing(here):
    code, said = init("--dry-run")
    assert code == 0
    assert "+++ b/slipway.toml" in said
    assert "Nothing was written." in said
    assert [path.name for path in here.iterdir()] == ["compose.yaml"]
    assert (here / "compose.yaml").read_text() == API


def test_yes_writes_all_and_the_second_time_leaves_all(here):
    init("--yes")
    written = (here / "compose.yaml").read_text()
    code, said = init("--yes")
    assert code == 0
    assert "api: x-slipway is there already; left as it is." in said
    assert "Nothing to write." in said
    assert (here / "compose.yaml").read_text() == written


def test_what_has_no_place_is_printed_to_be_pasted_and_unsaid_state_is_named(here):
    (here / "compose.yaml").write_text(API.replace("api:", "api: &api", 1) + "  b: *api\n")
    _, said = init("--yes")
    assert "  api:\n    x-slipway:\n      port: 80\n" in said
    assert "api may write to /srv" in said


def test_where_nobody_can_be_asked_it_is_refused_before_anything_is_written(here, monkeypatch):
    monkeypatch.setattr("flows.cli.setup.init.is_asked", lambda: False)
    code, said = init()
    assert code == 2
    assert "--yes" in said
    assert init("--yes", "--dry-run")[0] == 2
    assert (here / "compose.yaml").read_text() == API


def test_it_waits_for_no_import_of_prefect(here):
    code = "import sys; from flows.cli.main import app; app(['init', '--dry-run'], standalone_mode=False); " \
           "sys.exit('prefect' in sys.modules)"  # fmt: skip
    assert subprocess.run([sys.executable, "-c", code], cwd=here, check=False, timeout=60).returncode == 0


SOURCE = "git+https://git.example.com/slipway@0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("remote", "written"),
    [("git@github.com:me/shop.git", ".github/workflows/release.yml"), ("https://gitlab.com/me/shop", ".gitlab-ci.yml")],
)
def test_the_workflow_stands_at_the_repositorys_root_for_the_ci_of_its_remote(tmp_path, monkeypatch, remote, written):
    for words in (["init", "-q"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/compose.yaml").write_text(API)
    monkeypatch.chdir(tmp_path / "deploy")
    code, said = init("--yes", "--ci-source", SOURCE)
    assert code == 0, said
    text = (tmp_path / written).read_text()
    assert SOURCE in text
    assert "slipway-trigger release --destination production" in text
    code, said = init("--yes", "--ci-source", SOURCE)
    assert f"{written} is there already; left as it is." in said
    assert (tmp_path / written).read_text() == text


def test_a_source_that_would_be_more_than_a_word_is_refused(here):
    code, said = init("--yes", "--ci-source", "x'; rm -rf /")
    assert code == 2
    assert "BadParameter" in said
    assert sorted(path.name for path in here.iterdir()) == ["compose.yaml"]


def test_without_a_source_it_is_said_how_to_get_a_workflow(here):
    assert "slipway init --ci-source REQUIREMENT" in init("--dry-run")[1]
