"""The second release of a stack Slipway has never seen: what changed restarts, what services keep is kept."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.harness.doubles.faulty_registry import FaultyRegistry
from tests.stacks.compose_features import TOKEN, ComposeFeaturesStack, open_compose_features_stack
from tests.support.lab.cli import CliResult, slipway, slipway_ok
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.saved_blocks import saved

pytestmark = pytest.mark.lab

# A one-shot runs again at every `docker compose up`; that is what Compose means by it.
AS_ALWAYS = {"migrate"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeFeaturesStack]:
    with open_compose_features_stack(tmp_path_factory.mktemp("shop")) as shop:
        shop.release("--tag", "first")
        yield shop


@pytest.fixture(scope="module")
def droplet(shop: ComposeFeaturesStack) -> DropletView:
    return shop.droplet


def test_a_release_without_a_change_restarts_nothing_and_pulls_nothing(
    shop: ComposeFeaturesStack, droplet: DropletView
) -> None:
    before = droplet.started()
    said = shop.release("--tag", "same")
    assert _restarted(before, droplet, said) == AS_ALWAYS
    assert "Nothing was left to pull." in said.out
    assert _current(droplet)["tag"] == "same"


def test_a_changed_config_restarts_exactly_the_service_that_mounts_it(
    shop: ComposeFeaturesStack, droplet: DropletView
) -> None:
    before = droplet.started()
    shop.write("config/motto", "Closing soon\n")
    said = shop.release()
    assert _restarted(before, droplet, said) == {"Web.Front"} | AS_ALWAYS
    assert droplet.inside("Web.Front", "cat", "/etc/shop/motto") == "Closing soon\n"


def test_a_changed_secret_restarts_exactly_the_service_that_mounts_it(
    shop: ComposeFeaturesStack, droplet: DropletView
) -> None:
    before = droplet.started()
    shop.write("deploy/secrets/token", f"new {TOKEN}")
    shop.save_environment()
    said = slipway_ok("deploy", "--tag", _current(droplet)["tag"], "--stack", "corner-shop", **shop.settings)
    assert "secret files: deploy/secrets/token" in said.out
    assert _restarted(before, droplet, said) == {"Web.Front"} | AS_ALWAYS
    assert droplet.inside("Web.Front", "cat", "/run/secrets/token") == f"new {TOKEN}"


def test_a_plan_a_comparison_and_a_report_name_what_changes_and_change_nothing(
    shop: ComposeFeaturesStack, droplet: DropletView, tmp_path: Path
) -> None:
    where = ("--stack", "corner-shop", "--droplet", shop.block)
    shop.write("config/motto", "Open again\n")
    before, holder = droplet.started(), droplet.state()
    shop.slipway_ok("build-push", "--stack", str(shop.compose_file), "--tag", "planned")
    (plan,) = json.loads(shop.slipway_ok("plan", "--tag", "planned", *where, "--json").out)["plans"]
    found = json.loads(shop.slipway_ok("diff", "current", "planned", *where, "--json").out)
    page = tmp_path / "report.html"
    story = json.loads(shop.slipway_ok("report", "current", *where, "--html", str(page), "--json").out)
    assert (droplet.started(), droplet.state()) == (before, holder)
    services = {one["service"]: one for one in plan["services"]}
    assert (services["Web.Front"]["becomes"], services["Web.Front"]["reasons"]) == (
        "replaced", ["files: config/motto"],
    )  # fmt: skip
    assert {name for name, one in services.items() if one["becomes"] != "left alone"} == {"Web.Front"} | AS_ALWAYS
    assert (plan["pulls"], plan["environment"], len(plan["seconds"]) > 0) == ([], [], True)
    assert [one["name"] for one in found["files"]] == ["config/motto"]
    assert (found["services"], found["settings"], found["variables"]) == ([], [], None)
    assert story["placements"][-1]["runs"]
    assert story["runs"][-1]["prefect_seconds"] > 0
    assert TOKEN not in f"{plan}{found}{story}{page.read_text()}"
    said = slipway_ok("deploy", "--tag", "planned", "--stack", "corner-shop", **shop.settings)
    assert _restarted(before, droplet, said) == {"Web.Front"} | AS_ALWAYS


def test_a_writable_mount_on_a_relative_path_keeps_its_content(
    shop: ComposeFeaturesStack, droplet: DropletView
) -> None:
    before = droplet.inside("Back_Office.V2", "cat", "/spool/starts")
    shop.write("app/note", "not in the image\n")
    shop.write("app/Dockerfile", (shop.checkout / "app/Dockerfile").read_text() + 'LABEL edition="2"\n')
    shop.release()
    after = droplet.inside("Back_Office.V2", "cat", "/spool/starts")
    assert after.startswith(before)
    assert len(after.splitlines()) == len(before.splitlines()) + 1
    assert (
        droplet.sh(f"readlink -f {droplet.home}/current/files/deploy/spool") == f"{droplet.home}/shared/deploy/spool\n"
    )


@pytest.mark.parametrize("strategy", ["prefetch", "recreate"])
def test_a_strategy_that_stops_all_services_keeps_every_volume(
    strategy: str, shop: ComposeFeaturesStack, droplet: DropletView
) -> None:
    before, book, volumes = droplet.started(), droplet.inside("Web.Front", "cat", "/orders/book"), _volumes(droplet)
    said = shop.release("--strategy", strategy)
    assert _restarted(before, droplet, said) == {"Web.Front", "Back_Office.V2", "shelf", "migrate"}
    assert _volumes(droplet) == volumes != ""
    assert droplet.inside("Web.Front", "cat", "/orders/book").startswith(book)
    assert droplet.inside("Web.Front", "cat", "/orders/schema") == "schema 1\n"


def test_a_profile_that_is_on_adds_its_service(shop: ComposeFeaturesStack, droplet: DropletView) -> None:
    before = droplet.started()
    said = shop.release(SLIPWAY_PROFILES='["mail"]')
    assert _restarted(before, droplet, said) == AS_ALWAYS
    assert droplet.containers()["Mailer"]["State"]["Status"] == "running"


def test_a_profile_that_is_off_again_takes_its_service_away(shop: ComposeFeaturesStack, droplet: DropletView) -> None:
    before = droplet.started()
    said = shop.release()
    assert set(droplet.containers()) == set(before) - {"Mailer"}
    assert said.plan["Mailer"] == "removed"
    assert _restarted(before, droplet, said) == AS_ALWAYS


def test_a_subset_builds_its_image_and_keeps_the_others(shop: ComposeFeaturesStack, droplet: DropletView) -> None:
    before = droplet.digests()
    shop.write("app/Dockerfile", (shop.checkout / "app/Dockerfile").read_text() + 'LABEL edition="3"\n')
    shop.release("--services", "shelf")
    assert droplet.digests() == before
    shop.release("--services", "Web.Front,shelf")
    after = droplet.digests()
    assert after["shelf"] == before["shelf"]
    assert after["Web.Front"] == after["Back_Office.V2"] == after["migrate"] != before["Web.Front"]


def test_one_repository_can_hold_all_images_and_the_release(shop: ComposeFeaturesStack, droplet: DropletView) -> None:
    with saved(shop_single=shop.registry.named(layout="single-repository", repository="all")):
        shop.release("--tag", "single", SLIPWAY_REGISTRY="shop-single")
    repository = f"{shop.registry.namespace}/all"
    tags = shop.registry.tags(repository)
    assert tags == ["corner-shop-release-latest", "corner-shop-release-single", "shop-app-single"]
    expected = f"{shop.registry.host}/{repository}@{shop.registry.digest(repository, 'shop-app-single')}"
    assert droplet.containers()["Web.Front"]["Config"]["Image"] == expected
    assert expected in droplet.digests()["Web.Front"]


def test_images_from_elsewhere_can_be_mirrored(
    shop: ComposeFeaturesStack, droplet: DropletView, tmp_path: Path
) -> None:
    """By its other name the lab's registry is another registry, with a login that only this user's Docker knows."""
    elsewhere = FaultyRegistry(shop.registry.host)
    elsewhere.up()
    with ExitStack() as closing:
        closing.callback(elsewhere.down)
        other = shop.registry.named(registry_url=elsewhere.host, ca_certificate="")
        login = closing.enter_context(other.docker_config())
        (tmp_path / "more.env").write_text(f"SHELF={elsewhere.host}/{shop.registry.namespace}-elsewhere/shelf:7\n")
        shop.release("--tag", "mirrored", "--mirror-external", "--env-file", str(tmp_path / "more.env"), **login)
    digest = shop.registry.digest(f"{shop.registry.namespace}/shelf", "mirrored")
    original = shop.registry.digest(f"{shop.registry.namespace}-elsewhere/shelf", "7")
    with shop.registry.block.client() as client:
        copy = client.manifest(f"{shop.registry.namespace}/shelf", digest).content
    assert original in (digest, *(entry["digest"] for entry in copy.get("manifests", ())))
    mirrored = f"{shop.registry.host}/{shop.registry.namespace}/shelf@{digest}"
    assert droplet.containers()["shelf"]["Config"]["Image"] == mirrored
    assert mirrored in droplet.digests()["shelf"]


def test_an_image_named_by_tag_and_digest_is_one_image(
    shop: ComposeFeaturesStack, droplet: DropletView, tmp_path: Path
) -> None:
    repository = f"{shop.registry.namespace}-elsewhere/shelf"
    digest = shop.registry.digest(repository, "7")
    (tmp_path / "more.env").write_text(f"SHELF={shop.registry.host}/{repository}:7@{digest}\n")
    shop.release("--tag", "both", "--env-file", str(tmp_path / "more.env"))
    assert f"{shop.registry.host}/{repository}@{digest}" in droplet.digests()["shelf"]


def test_an_older_release_can_be_deployed_again_without_its_checkout(
    shop: ComposeFeaturesStack, droplet: DropletView
) -> None:
    slipway_ok("deploy", "--tag", "first", "--stack", "corner-shop", **shop.settings)
    assert _current(droplet)["tag"] == "first"
    running = droplet.containers()["Web.Front"]["Config"]["Image"]
    assert running.endswith(shop.registry.digest(f"{shop.registry.namespace}/shop/app", "first"))


def test_status_shows_the_release_and_its_digests(shop: ComposeFeaturesStack, droplet: DropletView) -> None:
    said = slipway("status", "--stack", "corner-shop", "--droplet", shop.block, "--json", **shop.settings)
    shown = json.loads(said.out)["droplets"][shop.block]
    assert shown["release"] == _current(droplet)["tag"]
    running = {name: entry["Config"]["Image"] for name, entry in droplet.containers().items()}
    assert {name: entry["image"] for name, entry in shown["services"].items()} == running
    assert (shown["services"]["Web.Front"]["state"], shown["services"]["Web.Front"]["health"]) == ("running", "healthy")


def test_the_stack_s_working_tree_is_left_as_it_was(shop: ComposeFeaturesStack) -> None:
    status = ["git", "-C", str(shop.checkout), "status", "--porcelain"]
    assert subprocess.run(status, capture_output=True, text=True, check=True).stdout == ""


def _restarted(before: dict[str, tuple[str, str]], droplet: DropletView, said: CliResult) -> set[str]:
    """Services of before whose container is another one now, or was started again; the plan has foretold them."""
    after = droplet.started()
    found = {name for name, start in before.items() if name in after and after[name] != start}
    assert {name for name, becomes in said.plan.items() if becomes in ("replaced", "restarted", "runs again")} == found
    return found


def _volumes(droplet: DropletView) -> str:
    name = f"{droplet.stack}_orders"
    return droplet.sh(f"docker volume inspect --format '{{{{.Name}}}} {{{{.CreatedAt}}}}' {name}")


def _current(droplet: DropletView) -> dict[str, str]:
    release: dict[str, str] = json.loads(droplet.sh(f"cat {droplet.home}/current/release.json"))
    return release
