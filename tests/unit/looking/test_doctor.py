"""doctor: what is there and well, what is missing, and what does not answer, each with what mends it."""

import threading
from datetime import UTC, datetime

import pytest

from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.core.insight.doctor import Check
from flows.looking import doctor
from flows.settings import Settings
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit


def asked(world, **settings) -> dict[str, tuple[str, str]]:
    found = world.ask(doctor.diagnose, Settings(home="", **settings))
    assert all(check.remedy for check in found if check.verdict in ("fail", "warn") and ":" not in check.words)
    return {check.name: (check.verdict, check.words) for check in found}


@pytest.fixture
def well(world, monkeypatch):
    """A server with a worker, deployments, automations and a registry, and one droplet."""
    world.droplet("green")
    world.said["/api/admin/version"] = "3.8.8"
    beat = datetime.now(UTC).isoformat()
    world.said["/api/work_pools/slipway/workers/filter"] = [{"name": "lab", "last_heartbeat_time": beat}]
    world.said["/api/deployments/filter"] = [{"name": name} for name in doctor._packaged()]
    world.said["/api/automations/filter"] = [{"name": name, "enabled": True} for name in doctor._automations()]
    registry = world.stack.enter_context(serving(lambda _asked: Says(200, {})))
    saved = {"registry_url": registry.url, "username": "me", "password": "s3cret-pass"}
    world.blocks["slipway-container-registry", "registry"] = saved
    return world


def test_what_is_well_is_told_part_by_part(well):
    found = asked(well)
    for name in ("Prefect server", "worker of pool slipway", "deployments", "automations", "registry registry",
                 "droplet green", "droplet green: clock"):  # fmt: skip
        assert found[name][0] == "ok", (name, found[name])
    assert found["droplet blue"] == ("warn", "was never saved")


def test_each_thing_that_is_missing_is_a_check_of_its_own(world):
    world.said["/api/admin/version"] = "3.8.8"
    world.said["/api/deployments/filter"] = []
    found = asked(world)
    assert found["worker of pool slipway"] == ("fail", "there is none")
    assert found["deployments"][1].startswith("missing: ")
    assert found["registry registry"] == ("fail", "was never saved")
    assert found["droplet green"] == ("fail", "was never saved")


def test_one_that_is_away_keeps_no_other_from_being_looked_at(well):
    well.save("blue", 1, "/nowhere")
    found = asked(well)
    assert found["droplet blue"][0] == "fail"
    assert "cannot be reached" in found["droplet blue"][1]
    assert found["droplet green"][0] == "ok"


def test_one_that_hangs_is_unknown_and_the_look_ends(well, monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(doctor, "_registry", lambda *_: go_on.wait())
    monkeypatch.setattr(doctor, "_TIMEOUT_S", 1.0)
    try:
        assert asked(well)["registry"] == ("unknown", "it did not answer within 1 s")
    finally:
        go_on.set()


def test_a_refused_registry_is_told_without_its_password(well):
    registry = well.stack.enter_context(serving(lambda _asked: Says(401, b"no s3cret-pass")))
    well.blocks["slipway-container-registry", "registry"]["registry_url"] = registry.url
    found = asked(well)
    assert found["registry"][0] == "fail"
    assert "s3cret" not in str(found)


def test_a_host_without_an_address_is_told(world):
    (check,) = doctor._host("nonesuch.invalid", "")()
    assert (check.verdict, check.words) == ("fail", "no address is known of it")


def alone(url: str) -> Check:
    """The one check where Prefect's API says nothing to us."""
    with PrefectApi(ApiConnection(f"{url}/api"), pause=lambda _seconds: None) as api:
        [check] = doctor.diagnose(api, "shop", Settings(home=""))
    assert (check.name, check.verdict) == ("Prefect server", "fail")
    return check


@pytest.mark.parametrize(
    ("code", "remedy"), [(401, "prefect profile use"), (403, "prefect profile use"), (422, "slipway server up")]
)
def test_a_prefect_server_that_refuses_us_is_the_one_check(code, remedy):
    with serving(lambda _asked: Says(code, {})) as server:
        assert alone(server.url).remedy.startswith(remedy)


def test_a_prefect_server_that_is_away_is_the_one_check():
    assert alone("http://127.0.0.1:1").remedy == "slipway server up"
