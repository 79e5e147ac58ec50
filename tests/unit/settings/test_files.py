"""The settings files: which are read for a run, in which order, and what a stack's own may not be."""

import os

import pytest

from flows.core.control.settings_file import LARGEST
from flows.core.errors import BadSettings, DestinationNeeded, OperatorSetting, SharedDroplet, UnknownDestination
from flows.settings import Settings
from flows.settings.choice import CommitFile, chosen, current_choice
from flows.settings.files import find_beside
from flows.settings.notices import note, telling_notices

pytestmark = pytest.mark.unit

TWO = """
[destinations.staging]
droplet = "s"
[destinations.production]
droplet = "p"
[destinations.production.gates]
window = 60
"""


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The working directory; a repository with a stack lies beside it."""
    for name in [name for name in os.environ if name.startswith("SLIPWAY_")]:
        monkeypatch.delenv(name)
    for name in ("here", "shop/deploy", "shop/.git"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "shop/deploy/compose.yaml").write_text("services: {}\n")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def settings(here, **given):
    with chosen(stack=str(here / "shop/deploy"), **given):
        return Settings()


def test_a_destination_changes_what_it_says_and_nothing_else(here):
    (here / "here/slipway.toml").write_text(f"[stack]\nretention = 9\n{TWO}")
    with chosen("production"):
        found = Settings()
    assert (found.destination, found.droplet, found.gate_window, found.retention) == ("production", "p", 60.0, 9)
    with chosen("staging"):
        assert (Settings().droplet, Settings().gate_window) == ("s", 30.0)


def test_the_environment_names_the_default_destination_and_is_stronger_than_what_a_destination_says(here, monkeypatch):
    (here / "here/slipway.toml").write_text(f'destination = "staging"\n{TWO}')
    assert Settings().droplet == "s"
    monkeypatch.setenv("SLIPWAY_DESTINATION", "production")
    assert (Settings().destination, Settings().droplet) == ("production", "p")
    monkeypatch.setenv("SLIPWAY_DROPLET", "e")
    assert Settings().droplet == "e"
    with chosen("staging"):
        assert (Settings().destination, Settings().droplet) == ("staging", "e")


def test_without_destinations_there_is_none(here):
    assert Settings().destination == ""


def test_a_run_that_does_not_say_which_of_several_is_refused_with_the_names(here):
    (here / "here/slipway.toml").write_text(TWO)
    with pytest.raises(DestinationNeeded, match="staging, production"):
        Settings()
    with chosen("prodcution"), pytest.raises(UnknownDestination, match="Did you mean `production`"):
        Settings()
    with chosen(anywhere=True):
        assert Settings().droplet == "green"


def test_two_destinations_with_one_droplet_are_refused_also_where_it_is_inherited(here):
    (here / "here/slipway.toml").write_text("[destinations.a]\n[destinations.b]\n[droplets]\ndefault = 'x'\n")
    with chosen("a"), pytest.raises(SharedDroplet, match="a and b both go to droplet x"):
        Settings()


@pytest.mark.parametrize("place", ["shop/slipway.toml", "shop/deploy/slipway.toml"])
def test_a_stack_brings_the_file_beside_its_compose_file_or_at_the_root_of_its_repository(here, place):
    (here / place).write_text('[droplets]\ndefault = "brought"\n[stack]\nretention = 3\n')
    (here / "here/slipway.toml").write_text('[droplets]\ndefault = "own"\n[gates]\nwindow = 1\n')
    found = settings(here)
    assert (found.droplet, found.retention, found.gate_window) == ("brought", 3, 1.0)
    assert Settings().droplet == "own"
    with chosen(stack="shop"):  # a name leads to no file
        assert Settings().droplet == "own"


def test_the_file_beside_the_compose_file_is_nearer_and_nothing_above_the_repository_is_read(here):
    (here / "slipway.toml").write_text('[droplets]\ndefault = "above"\n')
    assert find_beside(str(here / "shop/deploy")) == ""
    for place in ("shop/slipway.toml", "shop/deploy/slipway.toml"):
        (here / place).write_text("")
        assert find_beside(str(here / "shop/deploy/compose.yaml")) == str(here / place)


def test_the_stack_of_the_settings_brings_its_file_too(here):
    (here / "shop/slipway.toml").write_text("[stack]\nretention = 3\n")
    (here / "here/slipway.toml").write_text('[stack]\npath = "../shop/deploy"\n')
    assert Settings().retention == 3


def test_what_the_operator_says_of_a_destination_holds_whatever_the_stack_brings(here):
    (here / "shop/slipway.toml").write_text('[destinations.production]\napproval = "never"\ndroplet = "brought"\n')
    (here / "here/slipway.toml").write_text('[destinations.production]\napproval = "always"\n')
    found = settings(here)
    assert (found.approval, found.droplet) == ("always", "brought")


def test_a_stacks_file_that_names_a_program_of_the_worker_is_refused_and_the_operators_own_is_not(here, monkeypatch):
    (here / "shop/slipway.toml").write_text('[worker]\ndocker = "./evil"\n')
    with pytest.raises(OperatorSetting, match=r"shop/slipway.toml, line 2: `docker` of \[worker\] is the operator's"):
        settings(here)
    monkeypatch.chdir(here / "shop")
    assert settings(here).docker == "./evil"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: file.symlink_to("/etc/hostname"), "is a link"),
        (lambda file: file.write_text("#" * (LARGEST + 1)), "has more than 100,000 bytes"),
        (lambda file: file.mkdir(), "is no file"),
        (os.mkfifo, "is no file"),
        (lambda file: file.write_bytes(b"a = '\xff'"), "is no text in UTF-8"),
        (lambda file: file.write_text("a = 1\nb = c"), r"is no TOML: Invalid value \(at line 2, column 5\)"),
    ],
)
def test_a_stacks_file_that_is_none_is_refused(here, make, words):
    make(here / "shop/slipway.toml")
    with pytest.raises(BadSettings, match=f"shop/slipway.toml: .*{words}"):
        settings(here)


def test_what_runs_may_not_name_is_not_read(here, monkeypatch):
    (here / "shop/slipway.toml").write_text("broken")
    monkeypatch.setenv("SLIPWAY_SOURCE_ROOTS", f'["{here}/elsewhere"]')
    assert settings(here).droplet == "green"
    monkeypatch.setenv("SLIPWAY_SOURCE_ROOTS", f'["{here}/shop"]')
    with pytest.raises(BadSettings):
        settings(here)


def of_commit(here, text, replaces="shop/slipway.toml"):
    return CommitFile(str(here / "shop/deploy"), "main", "a" * 40, "slipway.toml", text, str(here / replaces))


def test_the_commits_file_counts_and_not_the_one_that_lies_in_the_checkout(here):
    (here / "shop/slipway.toml").write_text('[droplets]\ndefault = "lies here"\n')
    assert settings(here, commit=of_commit(here, '[droplets]\ndefault = "commit"\n')).droplet == "commit"
    assert settings(here, commit=of_commit(here, None)).droplet == "green"
    with pytest.raises(OperatorSetting, match="of commit aaaaaaaaaaaa: `docker`"):
        settings(here, commit=of_commit(here, 'worker = {docker = "x"}'))


def test_where_the_working_directory_is_the_repository_its_commits_file_counts_beside_what_is_the_operators(
    here, monkeypatch
):
    monkeypatch.chdir(here / "shop")
    own = '[worker]\ndocker = "podman"\n'
    (here / "shop/slipway.toml").write_text(f'{own}[droplets]\ndefault = "new"\n[stack]\nretention = 2\n')
    found = settings(here, commit=of_commit(here, f'{own}[droplets]\ndefault = "old"\n'))
    assert (found.docker, found.droplet, found.retention) == ("podman", "old", 5)
    assert settings(here, commit=of_commit(here, None)).droplet == "new"  # an older commit than the file


def test_what_was_chosen_ends_where_it_ends_and_is_inherited_until_then(here):
    with chosen("a", "path"):
        with chosen(), chosen(stack="name"):
            assert (current_choice().destination, current_choice().stack) == ("a", "path")
        with chosen("b"):
            assert current_choice().destination == "b"
    assert current_choice().destination == ""


def test_old_names_are_told_once_by_the_outermost_that_tells(here):
    with telling_notices(lambda _: None):  # what other tests noted
        pass
    (here / "here/slipway.toml").write_text('droplet = "told once"\nstrategy = "prefetch"\n')
    told: list[str] = []
    for _ in range(2):
        with telling_notices(told.append):
            before = len(told)
            with telling_notices(lambda _: pytest.fail("an inner one")):
                assert Settings().strategy == "prefetch"
            note("")
            assert len(told) == before
    assert ["`droplet` is `default` of [droplets]; `strategy` is" in line for line in told] == [True]
