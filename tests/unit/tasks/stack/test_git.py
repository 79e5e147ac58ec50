"""Git on a checkout: a commit that looks like a repository starts no program, and a ref reaches branches, tags and
hashes alone."""

import os
import subprocess
from pathlib import Path

import pytest

from flows.core.errors import BadTag, BrokenStack, StackNotFound
from flows.tasks.stack.commit.checkout import checked_out
from flows.tasks.stack.git import checkout_of, commit_of, git
from flows.tasks.stack.source import default_tag
from tests.support.files.checkout import GIT

pytestmark = pytest.mark.unit

HASH = "0123456789" * 4


def run(place: Path, *words: str) -> str:
    return subprocess.run([*GIT, "-C", place, *words], check=True, capture_output=True, text=True).stdout.strip()


def commit(place: Path, text: str) -> str:
    (place / "shop").mkdir(exist_ok=True)
    (place / "shop/compose.yaml").write_text(f"services: {{a: {{image: {text}}}}}")
    run(place, "add", "-A")
    run(place, "commit", "-q", "-m", text)
    return run(place, "rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path) -> Path:
    place = tmp_path / "origin"
    place.mkdir()
    run(place, "init", "-q")
    run(place, "config", "uploadpack.allowAnySHA1InWant", "true")
    commit(place, "main")
    return place


@pytest.fixture
def clone(origin, tmp_path) -> Path:
    run(tmp_path, "clone", "-q", str(origin), "clone")
    return tmp_path / "clone"


def text_at(clone: Path, ref: str | None) -> str:
    with checked_out(str(clone / "shop"), ref) as place:
        return Path(place, "compose.yaml" if Path(place).is_dir() else "").read_text()


def hostile(clone: Path, canary: Path) -> None:
    """A commit whose stack's directory is a repository of its own, with a program in its config."""
    place = clone / "shop"
    for path, text in {
        "HEAD": "ref: refs/heads/main\n",
        "config": "[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = .\n"
        f'\tfsmonitor = "touch {canary}; false"\n',
        "objects/x": "",
        "refs/x": "",
    }.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    run(clone, "add", "-A")
    run(clone, "commit", "-q", "-m", "hostile")


def test_a_directory_of_a_commit_that_is_a_repository_runs_nothing(clone, tmp_path):
    canary = tmp_path / "canary"
    hostile(clone, canary)
    subprocess.run(["git", "-C", clone / "shop", "status"], check=False, capture_output=True)
    assert canary.exists(), "the attack itself works"
    canary.unlink()
    for attempt in (lambda: default_tag(str(clone / "shop")), lambda: checkout_of(str(clone / "shop"))):
        with pytest.raises(BrokenStack, match=r"bare repository"):
            attempt()
    assert commit_of(str(clone / "shop")) is None
    git(str(clone / "shop"), "status")
    assert not canary.exists()


def test_neither_a_file_monitor_nor_a_hook_of_the_checkout_runs(clone, tmp_path):
    canary = tmp_path / "canary"
    program = clone / ".git/hooks/post-checkout"
    program.write_text(f"#!/bin/sh\ntouch '{canary}'\n")
    program.chmod(0o755)
    run(clone, "config", "core.fsmonitor", str(program))
    (clone / "shop/more").write_text("changed")
    canary.unlink(missing_ok=True)
    assert "-dirty-" in default_tag(str(clone / "shop"))
    assert text_at(clone, "main")
    assert not canary.exists()


def test_git_sees_of_our_environment_only_what_it_needs(clone, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_EXTERNAL_DIFF", "PREFECT_API_AUTH_STRING"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "alias.seen")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "!env")
    seen = {line.partition("=")[0] for line in git(str(clone), "seen").stdout.splitlines()}
    assert "PATH" in seen
    assert not seen & {"GIT_EXTERNAL_DIFF", "GIT_WORK_TREE", "PREFECT_API_AUTH_STRING"}
    assert checkout_of(str(clone / "shop")) == str(clone)


def test_the_tag_says_what_was_changed_and_the_index_stays(clone):
    clean = default_tag(str(clone / "shop"))
    assert run(clone, "rev-parse", "HEAD").startswith(clean)
    (clone / "shop/new").write_text("1")
    first = default_tag(str(clone / "shop"))
    (clone / "shop/new").write_text("2")
    assert first.startswith(f"{clean}-dirty-")
    assert default_tag(str(clone / "shop")) not in (first, clean)
    assert run(clone, "status", "--porcelain") == "?? shop/new"
    assert [name for name in os.listdir(clone / ".git") if "slipway" in name] == []


@pytest.mark.parametrize("ref", ["branch", "refs/heads/branch", "v1", "refs/tags/v1", "hash"])
def test_what_only_origin_has_is_fetched(origin, clone, ref):
    run(origin, "checkout", "-q", "-b", "branch")
    made = commit(origin, "newer")
    run(origin, "tag", "v1")
    assert "newer" in text_at(clone, made if ref == "hash" else ref)
    assert run(clone, "branch", "--list", "branch") == ""


@pytest.mark.parametrize("ref", ["main", "HEAD", "origin/main", "short", "whole"])
def test_what_is_here_needs_no_origin(origin, clone, ref):
    origin.rename(origin.with_name("away"))
    whole = run(clone, "rev-parse", "HEAD")
    assert "main" in text_at(clone, {"short": whole[:9], "whole": whole}.get(ref, ref))


@pytest.mark.parametrize(
    "ref",
    [
        "refs/pull/7/head", "pull/7/head", "+main:mine", "main:mine", "+refs/heads/main:refs/heads/mine", "-x",
        "--upload-pack=x", "refs/remotes/origin/main", "main~0", "main^{commit}", "@{upstream}", "main..main",
        ":/main", " main", "ma\nin", "refs/heads/../pull/7/head", HASH, HASH[:8], "*", "FETCH_HEAD", "HEAD:shop",
    ],
)  # fmt: skip
def test_a_ref_reaches_branches_tags_and_hashes_alone(origin, clone, ref):
    run(origin, "update-ref", "refs/pull/7/head", "HEAD")
    run(clone, "update-ref", "refs/pull/7/head", "HEAD")
    run(clone, "fetch", "-q", "origin")
    before = run(clone, "for-each-ref")
    with pytest.raises(BadTag, match=r"is no branch, no tag and no commit's hash|neither in .* nor at its origin"):
        text_at(clone, ref)
    assert run(clone, "for-each-ref") == before


def test_a_work_tree_goes_whatever_is_wrong_with_it(clone):
    run(clone, "rm", "-q", "-r", "shop")
    run(clone, "commit", "-q", "-m", "gone")
    (clone / "shop").mkdir()
    (clone / "shop/compose.yaml").write_text("services: {}")
    with pytest.raises(StackNotFound, match=r"commit main has no shop/compose\.yaml"):
        text_at(clone, "main")
    assert len(run(clone, "worktree", "list").splitlines()) == 1


def test_outside_git_there_is_no_commit(tmp_path):
    (tmp_path / "compose.yaml").write_text("services: {}")
    with pytest.raises(BadTag, match=r"no git checkout, so there is no commit"), checked_out(str(tmp_path), "main"):
        pass
    with pytest.raises(BadTag, match=r"Give --tag TAG"):
        default_tag(str(tmp_path))
