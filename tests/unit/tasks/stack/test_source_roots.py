"""Nothing outside the checkout is published, and a run names only the files that the settings allow."""

from pathlib import Path

import pytest

from blocks import StackEnvironment
from flows.core.errors import OutsideSource
from flows.settings import Settings
from flows.tasks.stack.commit.checkout import checked_out
from flows.tasks.stack.environment import variables
from flows.tasks.stack.project import find_compose_files, stack_name
from flows.tasks.stack.source_roots import refuse_outside
from tests.support.files.checkout import Checkout

pytestmark = pytest.mark.unit


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    made = Checkout(tmp_path / "repo" / "shop", [])
    made.write("../conf/app.yaml")
    made.write("conf/a")
    (tmp_path / "private").mkdir()
    (tmp_path / "private/prefect.db").write_text("rows")
    return made


def check(checkout: Checkout, stack: str = "", **more) -> None:
    settings = Settings(**more)
    source = checkout.source(settings)
    refuse_outside(stack or str(checkout.root), source.sources, settings)


def in_git(checkout: Checkout) -> None:
    Checkout(checkout.root.parent, []).commit()


@pytest.mark.parametrize("mount", ["./conf:/x:ro", "../conf/app.yaml:/x:ro", "./data:/x", "../../absent:/x"])
def test_what_lies_in_the_checkout_may_ship(checkout, mount):
    checkout.mounts = [mount]
    in_git(checkout)
    check(checkout)


@pytest.mark.parametrize("mount", ["../../private:/x:ro", "../../private:/x", "../../private/prefect.db:/x:ro"])
def test_what_dots_lead_to_outside_the_checkout_is_refused(checkout, tmp_path, mount):
    checkout.mounts = [mount]
    in_git(checkout)
    with pytest.raises(OutsideSource, match=r"/private\S*: lies outside \S*/repo, .*SLIPWAY_SOURCE_ROOTS"):
        check(checkout)
    check(checkout, source_roots=(str(tmp_path / "private"),))


@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize("place", ["conf/a", "way", "way/prefect.db"])
def test_what_a_link_leads_to_outside_is_refused(checkout, tmp_path, place, git):
    (checkout.root / "conf/a").unlink()
    (checkout.root / "conf/a").symlink_to(tmp_path / "private/prefect.db")
    (checkout.root / "way").symlink_to(tmp_path / "private")
    checkout.mounts = [f"./{place}:/x:ro"]
    if git:
        in_git(checkout)
    with pytest.raises(OutsideSource, match=r"shop/\S+ → \S+/private"):
        check(checkout)


def test_a_compose_file_that_is_a_link_to_elsewhere_is_refused(checkout, tmp_path):
    in_git(checkout)
    (tmp_path / "private/compose.yaml").write_text("services: {a: {image: x}}")
    (checkout.root / "compose.yaml").symlink_to(tmp_path / "private/compose.yaml")
    files = find_compose_files(str(checkout.root / "compose.yaml"))
    assert files == (str(tmp_path / "private/compose.yaml"),)
    private = Checkout(tmp_path / "private", [])
    with pytest.raises(OutsideSource, match=r"/private/compose\.yaml: lies outside \S*/repo"):
        check(private, str(checkout.root / "compose.yaml"))


def test_outside_git_what_the_stack_names_may_ship(checkout):
    checkout.mounts = ["../conf/app.yaml:/x:ro"]
    check(checkout)


def test_a_checkout_that_is_reached_by_a_link_is_the_checkout(checkout, tmp_path):
    checkout.mounts = ["./conf:/x:ro"]
    in_git(checkout)
    (tmp_path / "short").symlink_to(checkout.root)
    check(checkout, str(tmp_path / "short"))


def test_a_run_names_only_files_that_the_settings_allow(checkout, tmp_path, monkeypatch):
    stack, file = checkout.write("compose.yaml", "services: {a: {image: x}}"), tmp_path / "private/prefect.db"
    way = checkout.root / "way"
    way.symlink_to(tmp_path / "private")
    assert find_compose_files(str(stack)) == (str(stack),)
    monkeypatch.setenv("SLIPWAY_SOURCE_ROOTS", f'["{tmp_path / "repo"}"]')
    assert find_compose_files(str(stack)) == (str(stack),)
    for named in (str(file), str(way / "prefect.db"), f"{stack}:{file}", f"{checkout.root}/../../private/prefect.db"):
        with pytest.raises(OutsideSource, match=r"runs may not name files there"):
            stack_name(named)
    with pytest.raises(OutsideSource, match=r"They may below \S*/repo"):
        variables(StackEnvironment(), str(file))


def test_a_work_tree_of_an_allowed_checkout_is_allowed(checkout, tmp_path, monkeypatch):
    checkout.write("compose.yaml", "services: {a: {image: x}}")
    in_git(checkout)
    monkeypatch.setenv("SLIPWAY_SOURCE_ROOTS", f'["{tmp_path / "repo"}"]')
    with checked_out(str(checkout.root), "HEAD") as place:
        assert Path(find_compose_files(place)[0]).read_text().startswith("services")
    with pytest.raises(OutsideSource):
        find_compose_files(place)
