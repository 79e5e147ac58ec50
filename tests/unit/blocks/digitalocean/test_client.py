"""The client against the stand-in: every operation, every error of it, and both against the official description."""

import copy
import time
from collections import deque
from types import SimpleNamespace

import httpx
import pytest

from blocks import DigitalOceanAccount
from blocks.digitalocean.client import DigitalOcean
from blocks.digitalocean.models import NewDroplet
from blocks.errors import (
    AnswerLost,
    ApiFailed,
    LoginRefused,
    NotAtDigitalOcean,
    TokenRefused,
)
from tests.support.digitalocean_in_process import add_droplet, exchanged, held, needs_description, standin
from tests.support.lab import api_contract

pytestmark = pytest.mark.unit
NEW = NewDroplet("trial", "nyc3", "s-1vcpu-1gb", "debian-13-x64", ssh_keys=("ab:cd",), tags=("slipway", "trial"))
CREATE = {"method": "POST", "path": "^/v2/droplets$"}


@pytest.fixture
def lab(tmp_path):
    with standin(tmp_path) as lab:
        yield lab


def fault(lab, act, match, **more):
    lab.cloud.faults = [{"match": match, "act": act, "times": 1, **more}]


def named(lab, name):
    return [d for d in lab.cloud.droplets.values() if d["name"] == name]


def test_the_account_is_told_in_words(lab):
    block = DigitalOceanAccount(token=lab.token, api=lab.url)
    assert block.reach() == "DigitalOcean account of lab@slipway.dev, team lab: active, at most 25 droplets"
    lab.cloud.settings.update(status="warning", status_message="card expires")
    assert block.reach().endswith("; warning: card expires")
    lab.cloud.settings.update(status="locked", status_message="unpaid")
    with pytest.raises(LoginRefused, match="is locked: unpaid"):
        block.reach()
    assert lab.token not in repr(block)


def test_a_droplet_is_made_found_and_removed(lab):
    told = []
    with held(lab, lambda: told):
        made = lab.client.droplets.create(NEW, tell=told.append)
    assert (made.name, made.status, made.public_ip) == ("trial", "active", "192.0.2.10")
    assert (made.tags, made.price_monthly) == (("slipway", "trial"), 6.0)
    assert lab.client.droplets.named("trial") == made == lab.client.droplets.all(tag="trial")[0]
    assert lab.client.droplets.remove(made, "trial") is True
    assert lab.client.droplets.remove(made, "trial") is False
    assert ("destroy", made.id) in lab.parts.engine.log
    with pytest.raises(NotAtDigitalOcean, match="no droplet named trial"):
        lab.client.droplets.named("trial")


def test_what_a_killed_run_made_is_taken_up_again(lab):
    first = lab.client.droplets.create(NEW)
    assert lab.client.droplets.create(NEW) == first
    assert len(named(lab, "trial")) == 1


def test_a_droplet_of_somebody_else_is_left_alone(lab):
    add_droplet(lab.cloud, "trial")
    with pytest.raises(ApiFailed, match="is there already"):
        lab.client.droplets.create(NEW)
    assert len(lab.cloud.droplets) == 1


def test_a_name_that_two_have_is_refused(lab):
    ids = [add_droplet(lab.cloud, "twin"), add_droplet(lab.cloud, "twin", ip="192.0.2.2")]
    with pytest.raises(ApiFailed, match=rf"2 droplets are named twin: {ids[0]} \(192.0.2.1\) and {ids[1]}"):
        lab.client.droplets.named("twin")


@pytest.mark.parametrize("act", ["lose", "html"])
def test_a_lost_answer_makes_no_second_droplet(lab, act):
    fault(lab, act, CREATE)
    assert lab.client.droplets.create(NEW).name == "trial"
    assert len(named(lab, "trial")) == 1


def test_a_create_that_had_no_effect_is_made_again(lab, monkeypatch):
    monkeypatch.setattr("blocks.digitalocean.droplets.appeared", lambda look: look())
    fault(lab, "status", CREATE, status=500, message="broken")
    assert lab.client.droplets.create(NEW).name == "trial"
    assert lab.client.api.calls.count("POST /v2/droplets") == 2


def test_a_create_that_fails_for_good_is_lost_and_leaves_nothing(lab, monkeypatch):
    monkeypatch.setattr("blocks.digitalocean.droplets.appeared", lambda look: look())
    fault(lab, "status", CREATE, status=500, message="broken")
    lab.cloud.faults[0]["times"] = 9
    with pytest.raises(AnswerLost, match="It may have taken effect"):
        lab.client.droplets.create(NEW)
    assert named(lab, "trial") == []


def test_the_droplet_limit_is_told(lab):
    lab.cloud.settings["droplet_limit"] = 0
    with pytest.raises(ApiFailed, match=r"422 unprocessable_entity: .*exceed your droplet limit"):
        lab.client.droplets.create(NEW)


def test_a_locked_account_changes_nothing(lab):
    lab.cloud.settings["status"] = "locked"
    with pytest.raises(TokenRefused, match="Your account is locked"):
        lab.client.droplets.create(NEW)
    assert lab.cloud.droplets == {}


@pytest.mark.parametrize(("scopes", "missing"), [(["droplet:read"], "droplet:create"), ([], "droplet:read")])
def test_a_missing_scope_is_named(lab, scopes, missing):
    token = control(lab, "POST", "tokens", {"scopes": scopes})["token"]
    with DigitalOcean(token, lab.url) as client, pytest.raises(TokenRefused, match=missing):
        client.droplets.create(NEW)
    assert lab.cloud.droplets == {}


def test_a_token_that_is_revoked_in_the_middle_is_told(lab):
    made = control(lab, "POST", "tokens", {"scopes": None})
    with DigitalOcean(made["token"], lab.url) as client:
        assert client.account().status == "active"
        assert control(lab, "DELETE", f"tokens/{made['id']}") == {"revoked": 1}
        with pytest.raises(TokenRefused, match="401 unauthorized"):
            client.account()


def test_a_token_expires(lab):
    token = control(lab, "POST", "tokens", {"expires_in": 3600})["token"]
    with DigitalOcean(token, lab.url) as client:
        assert client.account().status == "active"
        lab.cloud.tokens[token]["expires"] = time.time() - 1
        with pytest.raises(TokenRefused, match="mistyped, expired or revoked"):
            client.account()


def test_a_burst_of_requests_is_slowed_down_not_refused(lab):
    lab.cloud.settings["rate_minute"] = 3
    lab.cloud.asked.extend([time.time() - 5] * 3)
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        lab.cloud.asked = deque(when - seconds for when in lab.cloud.asked)

    lab.client.api._clock = SimpleNamespace(now=lambda: 0.0, sleep=sleep)
    assert lab.client.account().status == "active"
    assert len(slept) == 1
    assert [one["status"] for one in exchanged(lab, "GET", "/account")] == [429, 200]


def control(lab, method, path, body=None):
    login = {"Authorization": f"Bearer {lab.token}"}
    return httpx.request(method, f"{lab.url}/_lab/{path}", json=body, headers=login).raise_for_status().json()


@needs_description
def test_the_check_sees_what_is_not_as_described(lab):
    add_droplet(lab.cloud, "green")
    lab.client.droplets.all()
    [good] = list(lab.cloud.exchanges)
    bad_answer, bad_request = copy.deepcopy(good), copy.deepcopy(good)
    del bad_answer["body"]["droplets"][0]["status"]
    bad_request["query"]["per_page"] = "999"
    unknown = {**good, "path": "/v2/no_such_thing"}
    assert api_contract.check([good]).violations == []
    assert "answer" in api_contract.check([bad_answer]).violations[0]
    assert "request" in api_contract.check([bad_request]).violations[0]
    assert "does not have it" in api_contract.check([unknown]).violations[0]
    assert api_contract.check([good, good]).requests == {"droplets_list": 2}
