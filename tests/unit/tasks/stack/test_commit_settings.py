"""The settings of the commit that a run is about: from git, before it is checked out, and of one commit to the end."""

import os

import pytest

from flows.core.control.settings_file import LARGEST
from flows.core.errors import BadSettings, BadTag
from flows.settings import Settings
from flows.settings.choice import chosen, current_choice
from flows.tasks.stack.commit.checkout import checked_out
from flows.tasks.stack.commit.commit_settings import commit_settings
from tests.unit.tasks.stack.test_git import commit, run

pytestmark = pytest.mark.unit


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A repository whose stack is in a directory `shop`; the working directory is another."""
    for name in [name for name in os.environ if name.startswith("SLIPWAY_")]:
        monkeypatch.delenv(name)
    place = tmp_path / "repository"
    for directory in (place / "shop", tmp_path / "here"):
        directory.mkdir(parents=True)
    run(place, "init", "-q")
    monkeypatch.chdir(tmp_path / "here")
    return place


def droplet_at(shop, ref: str | None) -> str:
    with chosen(stack=str(shop / "shop")), commit_settings(str(shop / "shop"), ref):
        return Settings().droplet


@pytest.mark.parametrize("name", ["slipway.toml", "shop/slipway.toml"])
def test_the_file_of_the_commit_counts_and_not_what_lies_there(shop, name):
    (shop / name).write_text('[droplets]\ndefault = "first"\n')
    first = commit(shop, "one")
    (shop / name).write_text('[droplets]\ndefault = "second"\n')
    commit(shop, "two")
    (shop / name).write_text('[droplets]\ndefault = "lies there"\n')
    assert [droplet_at(shop, ref) for ref in (first, "HEAD", None)] == ["first", "second", "lies there"]


def test_a_commit_without_one_has_no_settings_of_its_own(shop):
    bare = commit(shop, "one")
    (shop / "slipway.toml").write_text('[droplets]\ndefault = "lies there"\n')
    assert droplet_at(shop, bare) == "green"


def test_a_destination_that_only_the_commit_defines_is_found(shop):
    (shop / "slipway.toml").write_text('[destinations.production]\ndroplet = "p"\n[destinations.staging]\n')
    made = commit(shop, "one")
    (shop / "slipway.toml").unlink()
    with chosen("production", str(shop / "shop")):
        assert droplet_at(shop, made) == "p"


def test_the_commit_that_is_checked_out_is_the_one_whose_settings_hold(shop):
    branch = run(shop, "symbolic-ref", "--short", "HEAD") if commit(shop, "one") else ""
    with commit_settings(str(shop / "shop"), branch):
        meant = current_choice().commit.commit
        assert commit(shop, "two") != meant  # the branch goes on while the run is on its way
        with commit_settings(str(shop / "shop"), branch), checked_out(str(shop / "shop"), branch) as place:
            assert run(os.path.dirname(place), "rev-parse", "HEAD") == meant


def link(shop):
    (shop / "slipway.toml").symlink_to("/etc/hostname")


def huge(shop):
    (shop / "slipway.toml").write_text("#" * (LARGEST + 1))


def directory(shop):
    (shop / "slipway.toml").mkdir()
    (shop / "slipway.toml/a").write_text("")


def binary(shop):
    (shop / "slipway.toml").write_bytes(b"a = '\xff'")


@pytest.mark.parametrize(
    ("make", "words"),
    [(link, "is a link or a directory"), (directory, "is a link or a directory"),
     (huge, "has more than 100,000 bytes"), (binary, "is no text in UTF-8")],
)  # fmt: skip
def test_a_commits_file_that_is_none_is_refused(shop, make, words):
    make(shop)
    with pytest.raises(BadSettings, match=f"slipway.toml of commit [0-9a-f]+: {words}"):
        droplet_at(shop, commit(shop, "one"))


def test_without_git_or_without_the_commit_nothing_is_made_up(shop, tmp_path):
    commit(shop, "one")
    with pytest.raises(BadTag):
        droplet_at(shop, "gone")
    (tmp_path / "here/compose.yaml").write_text("services: {}\n")
    with commit_settings(str(tmp_path / "here"), "main"):
        assert current_choice().commit is None
