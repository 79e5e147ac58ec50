"""A stack Slipway has never seen, released to a droplet without a change to Slipway."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.stacks.compose_features import KEY, TOKEN, VARIABLES, ComposeFeaturesStack, open_compose_features_stack
from tests.support.lab.cli import CliResult
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.lab import prefect_api

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def began() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def shop(began: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeFeaturesStack]:
    with open_compose_features_stack(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture(scope="module")
def released(shop: ComposeFeaturesStack) -> CliResult:
    return shop.release("--verbose", "--wide", "--tag", "v1")


@pytest.fixture(scope="module")
def droplet(shop: ComposeFeaturesStack, released: CliResult) -> DropletView:
    return shop.droplet


def test_the_services_of_the_release_run_and_the_profile_s_one_does_not(droplet: DropletView) -> None:
    states = {name: entry["State"]["Status"] for name, entry in droplet.containers().items()}
    assert states == {"Web.Front": "running", "Back_Office.V2": "running", "shelf": "running", "migrate": "exited"}


def test_every_container_runs_the_digest_that_the_registry_shows(
    shop: ComposeFeaturesStack, droplet: DropletView
) -> None:
    built = f"{shop.registry.namespace}/shop/app"
    elsewhere = f"{shop.registry.namespace}-elsewhere/shelf"
    app = f"{shop.registry.host}/{built}@{shop.registry.digest(built, 'v1')}"
    shelf = f"{shop.registry.host}/{elsewhere}@{shop.registry.digest(elsewhere, '7')}"
    assert droplet.digests() == {"Web.Front": [app], "Back_Office.V2": [app], "migrate": [app], "shelf": [shelf]}
    images = {name: entry["Config"]["Image"] for name, entry in droplet.containers().items()}
    assert images == {"Web.Front": app, "Back_Office.V2": app, "migrate": app, "shelf": shelf}


def test_the_migration_ran_once_and_ended_well_before_the_shop_opened(droplet: DropletView) -> None:
    containers = droplet.containers()
    migrated, opened = containers["migrate"]["State"], containers["Web.Front"]["State"]
    assert (migrated["ExitCode"], droplet.inside("Web.Front", "cat", "/orders/schema")) == (0, "schema 1\n")
    assert migrated["FinishedAt"] < opened["StartedAt"]


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_arrives_as_compose_itself_reads_it(name: str, droplet: DropletView) -> None:
    found = dict(entry.split("=", 1) for entry in droplet.containers()["Back_Office.V2"]["Config"]["Env"])
    assert found[name] == VARIABLES[name][1]


def test_the_values_of_an_env_file_arrive(droplet: DropletView) -> None:
    found = dict(entry.split("=", 1) for entry in droplet.containers()["Web.Front"]["Config"]["Env"])
    assert (found["PAYMENT_KEY"], found["OPEN"]) == (KEY, "yes")


def test_a_secret_file_arrives_byte_by_byte_and_only_where_it_is_asked_for(droplet: DropletView) -> None:
    assert droplet.inside("Web.Front", "cat", "/run/secrets/token") == TOKEN
    assert droplet.inside("Back_Office.V2", "ls", "/run") == droplet.inside("shelf", "ls", "/run")


def test_a_config_from_above_the_compose_file_is_mounted_read_only(droplet: DropletView) -> None:
    assert droplet.inside("Web.Front", "cat", "/etc/shop/motto") == "Everything must go\n"
    mounts = {mount["Destination"]: mount["RW"] for mount in droplet.containers()["Web.Front"]["Mounts"]}
    assert mounts["/etc/shop/motto"] is False


def test_files_with_secrets_lie_where_only_their_owner_may_enter(droplet: DropletView) -> None:
    holding = droplet.sh(f"grep -rlF -e '{KEY}' -e {TOKEN.split()[0]} {droplet.home}").split()
    modes = droplet.sh(f"stat -Lc '%a %n' {' '.join(holding)} {droplet.home}/current/environment").splitlines()
    found = {(mode, path.removeprefix(f"{droplet.home}/").split("/", 2)[-1]) for mode, path in map(str.split, modes)}
    # Whoever runs in a container reads a secret without `mode:`, as Swarm has it.
    wanted = {("600", "files/deploy/shop.env"), ("444", "files/deploy/secrets/token"), ("600", "environment")}
    assert found == wanted
    assert droplet.sh(f"stat -c %a {droplet.home}").strip() == "700"


def test_what_is_published_holds_every_file_but_no_secret(shop: ComposeFeaturesStack, released: CliResult) -> None:
    content = _published(shop, "v1")
    for path in (b"config/motto", b"deploy/compose.yaml", b"deploy/parts/jobs.yaml", b"deploy/parts/base.yaml"):
        assert b"files/" + path in content
    for secret in (KEY, TOKEN.split()[0], VARIABLES["GREETING"][1].splitlines()[0]):
        assert secret.encode() not in content
    assert b"shop.env\x00" not in content


def test_no_secret_stands_in_any_output_or_log(
    shop: ComposeFeaturesStack, released: CliResult, began: datetime
) -> None:
    logged = _logs_since(began)
    assert "publish the release v1" in released.out
    assert any("Back_Office.V2 is running" in line for line in logged)
    for secret in (KEY, TOKEN.split()[0], shop.registry.block.password.get_secret_value()):
        assert secret not in released.all
        assert not [line for line in logged if secret in line]


def test_the_fixed_network_name_is_kept(droplet: DropletView) -> None:
    networks = {name for entry in droplet.containers().values() for name in entry["NetworkSettings"]["Networks"]}
    assert networks == {"corner-shop-backbone"}


def test_health_and_workflow_were_probed_and_no_trace_was_looked_for(released: CliResult) -> None:
    row = next(line for line in released.out.splitlines() if line.startswith("Web.Front") and "sha256" in line)
    assert "running, healthy  ✓ health, ✓ workflow" in row
    assert "trace" not in row


def test_a_login_leaves_nothing_on_the_droplet(shop: ComposeFeaturesStack, droplet: DropletView) -> None:
    password = shop.registry.block.password.get_secret_value()
    found = droplet.sh(
        "cat > /run/wanted; grep -rlFf /run/wanted /root /tmp /opt || true; rm /run/wanted", password.encode()
    )
    assert found == ""


def _published(shop: ComposeFeaturesStack, tag: str) -> bytes:
    """Everything the registry holds of a release's own files: manifest, config, and the unpacked layer."""
    repository = f"{shop.registry.namespace}/corner-shop-release"
    with shop.registry.block.client() as client:
        manifest = client.manifest(repository, tag)
        config = client.blob(repository, manifest.content["config"]["digest"])
        layers = [gzip.decompress(client.blob(repository, layer["digest"])) for layer in manifest.content["layers"]]
    return b"\n".join([manifest.raw, config, *layers])


def _logs_since(began: datetime) -> list[str]:
    """Every log line that the Prefect server has kept since then."""
    lines: list[str] = []
    asked = {"logs": {"timestamp": {"after_": began.isoformat()}}, "limit": 200, "sort": "TIMESTAMP_ASC"}
    while True:
        with prefect_api() as api:
            page = api.post("/logs/filter", json={**asked, "offset": len(lines)}).raise_for_status().json()
        lines += [entry["message"] for entry in page]
        if len(page) < 200:
            return lines
