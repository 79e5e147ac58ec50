"""The switches of DigitalOcean: what each turn asks the API, in which order, and what it refuses."""

import threading

import pytest

from blocks import DigitalOceanAccount, LoadBalancerSwitch, ReservedIpSwitch
from blocks.errors import SwitchFailed, SwitchMoved, TokenRefused
from blocks.traffic.state import SwitchProbe
from tests.support.digitalocean_in_process import add_droplet, reserved_ips, standin

pytestmark = pytest.mark.unit
RULE = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 8000}
CHECK = {"protocol": "http", "port": 8000, "path": "/health", "check_interval_seconds": 3, "healthy_threshold": 2,
         "response_timeout_seconds": 3, "unhealthy_threshold": 2}  # fmt: skip
NAMES = {"green": ["green"], "blue": ["blue"]}
IP = "198.51.100.1"


@pytest.fixture
def lab(tmp_path):
    with standin(tmp_path) as lab:
        lab.green = add_droplet(lab.cloud, "green", ip="192.0.2.1", tags=("live",))
        lab.blue = add_droplet(lab.cloud, "blue", ip="192.0.2.2")
        lab.cloud.settings["action_seconds"] = 0.1
        lab.common = {
            "url": "http://edge",
            "droplets": NAMES,
            "account": DigitalOceanAccount(token=lab.token, api=lab.url),
        }
        yield lab


def balancer(lab, monkeypatch, heard=None, **more):
    more = more or {"droplet_ids": [lab.green]}
    body = {"name": "edge", "region": "nyc3", "forwarding_rules": [RULE], "health_check": CHECK, **more}
    lab.client.api.send("POST", "/v2/load_balancers", "load_balancer:create", body)
    switch = LoadBalancerSwitch(balancer="edge", **lab.common)
    answers = iter(heard or [])
    monkeypatch.setattr("blocks.traffic.load_balancer._PAUSE", 0.0)
    monkeypatch.setattr(LoadBalancerSwitch, "_probe", lambda *_: next(answers, SwitchProbe("blue", 200, "from blue")))
    return switch


def members(lab):
    return next(iter(lab.cloud.balancers.values()))["droplet_ids"]


@pytest.mark.parametrize("by_tag", [False, True], ids=["by ids", "by tag"])
def test_a_balancer_lets_the_new_colour_in_hears_it_and_takes_the_old_one_out(lab, monkeypatch, by_tag):
    seen = []
    heard = [SwitchProbe("green", 200, "")] * 2 + [SwitchProbe(None, 503, "")] + [SwitchProbe("blue", 200, "")] * 3
    switch = balancer(lab, monkeypatch, heard, **({"tag": "live"} if by_tag else {}))
    real = LoadBalancerSwitch._probe
    monkeypatch.setattr(LoadBalancerSwitch, "_probe", lambda *given: (seen.append(list(members(lab))), real(*given))[1])
    position = switch.read()
    assert (position.active, members(lab)) == (("green",), [lab.green])
    assert switch.switch_to("blue", position, "test").active == ("blue",)
    assert members(lab) == [lab.blue]
    assert seen == [[lab.green, lab.blue]] * 6  # nobody left before the new one answered
    calls = [call for call in switch.client.api.calls if "garbage" not in call]
    assert len(calls) <= 12
    assert not [call for call in calls if call.startswith("PUT")]


def test_nothing_else_of_a_balancer_is_changed(lab, monkeypatch):
    def kept():
        """All but its members, and its status, which changes by itself once it has been made."""
        [balancer] = lab.cloud.balancers.values()
        return {name: value for name, value in balancer.items() if name not in ("droplet_ids", "status")}

    switch = balancer(lab, monkeypatch)
    before = kept()
    switch.switch_to("blue", switch.read(), "test")
    assert kept() == before


def test_a_stranger_in_a_balancer_stays(lab, monkeypatch):
    other = add_droplet(lab.cloud, "other")
    switch = balancer(lab, monkeypatch, droplet_ids=[lab.green, other])
    switch.switch_to("blue", switch.read(), "test")
    assert members(lab) == sorted([lab.blue, other])


@pytest.mark.parametrize("change", ["members", "settings"])
def test_a_balancer_that_somebody_else_changed_is_left_alone(lab, monkeypatch, change):
    switch = balancer(lab, monkeypatch)
    seen = switch.read()
    other = add_droplet(lab.cloud, "other")
    if change == "members":
        lab.client.load_balancers.add(switch._id, [other])
    else:
        next(iter(lab.cloud.balancers.values()))["algorithm"] = "least_connections"
    before = list(members(lab))
    with pytest.raises(SwitchMoved, match="by somebody else"):
        switch.switch_to("blue", seen, "test")
    assert members(lab) == before


def test_a_balancer_changed_while_the_new_colour_is_admitted_keeps_both(lab, monkeypatch):
    switch = balancer(lab, monkeypatch)
    seen = switch.read()

    def probe(*_):
        next(iter(lab.cloud.balancers.values()))["algorithm"] = "least_connections"
        return SwitchProbe("blue", 200, "")

    monkeypatch.setattr(LoadBalancerSwitch, "_probe", probe)
    with pytest.raises(SwitchMoved):
        switch.switch_to("blue", seen, "test")
    assert members(lab) == [lab.green, lab.blue]


def test_a_colour_that_does_not_answer_is_not_left_alone_behind_a_balancer(lab, monkeypatch):
    switch = balancer(lab, monkeypatch, [SwitchProbe("green", 200, "green said it")] * 10_000)
    monkeypatch.setattr(LoadBalancerSwitch, "max_seconds", 0.2)
    with pytest.raises(SwitchFailed, match="blue did not answer through"):
        switch.switch_to("blue", switch.read(), "test")
    assert members(lab) == [lab.green, lab.blue]
    assert switch.read().active == ("green", "blue")


def test_where_answers_do_not_name_their_colour_the_health_checks_are_given_their_time(lab, monkeypatch):
    well, sick = SwitchProbe(None, 200, ""), SwitchProbe(None, 503, "")
    heard = iter([well, well, sick, well, well, well, SwitchProbe("blue", 200, "one too many")])
    switch = balancer(lab, monkeypatch, heard)
    monkeypatch.setattr(LoadBalancerSwitch, "_admission", lambda _: 0.0)
    assert switch.switch_to("blue", switch.read(), "test").active == ("blue",)
    assert next(heard).detail == "one too many"


def test_answers_before_the_health_checks_had_their_time_prove_nothing(lab, monkeypatch):
    switch = balancer(lab, monkeypatch, (SwitchProbe(None, 200, "nobody") for _ in iter(int, 1)))
    monkeypatch.setattr(LoadBalancerSwitch, "_admission", lambda _: 3600.0)
    monkeypatch.setattr(LoadBalancerSwitch, "max_seconds", 0.1)
    with pytest.raises(SwitchFailed, match=r"blue did not answer through .*: nobody"):
        switch.switch_to("blue", switch.read(), "test")
    assert members(lab) == [lab.green, lab.blue]


def test_a_turn_that_was_killed_half_way_is_finished(lab, monkeypatch):
    switch = balancer(lab, monkeypatch, droplet_ids=[lab.green, lab.blue])
    seen = switch.read()
    assert seen.active == ("green", "blue")
    assert switch.switch_to("blue", seen, "test").active == ("blue",)
    assert switch.switch_to("blue", seen, "again").active == ("blue",)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_lost_answer_of_a_balancer_changes_nothing(lab, monkeypatch, method):
    switch = balancer(lab, monkeypatch)
    lab.cloud.faults = [{"match": {"method": method, "path": "/droplets$"}, "act": "lose", "times": 1}]
    assert switch.switch_to("blue", switch.read(), "test").active == ("blue",)
    assert members(lab) == [lab.blue]


def test_a_token_that_may_only_read_moves_nothing(lab, monkeypatch):
    switch = balancer(lab, monkeypatch)
    lab.cloud.tokens["read"] = {"id": "r", "scopes": ["load_balancer:read", "droplet:read"], "expires": None}
    weak = switch.model_copy(update={"account": DigitalOceanAccount(token="read", api=lab.url)})
    weak._client = None
    with pytest.raises(TokenRefused, match="load_balancer:update"):
        weak.switch_to("blue", weak.read(), "test")
    assert members(lab) == [lab.green]


@pytest.fixture
def address(lab):
    reserved = reserved_ips.add(lab.cloud, IP, "nyc3")
    reserved["droplet"] = {"id": lab.green}
    lab.cloud.reserved[IP]["droplet"] = next(d for d in lab.cloud.droplets.values() if d["id"] == lab.green)
    return ReservedIpSwitch(ip=IP, **lab.common)


def test_an_address_is_moved_there_and_back(lab, address):
    seen = address.read()
    assert seen.active == ("green",)
    now = address.switch_to("blue", seen, "test")
    assert now.active == ("blue",)
    assert address.switch_to("blue", seen, "again") == now
    assert address.switch_to("green", now, "back").active == ("green",)
    assert lab.parts.addresses.log == [("move", IP, "lab-blue"), ("move", IP, "lab-green")]


def test_an_address_that_somebody_else_moved_is_left_alone(lab, address):
    seen = address.read()
    lab.client.reserved_ips.assign(IP, add_droplet(lab.cloud, "other"))
    with pytest.raises(SwitchMoved, match="points at nowhere now"):
        address.switch_to("blue", seen, "test")
    assert len(lab.parts.addresses.log) == 1


def test_an_address_of_another_region_is_left_where_it_is(lab, address):
    far = add_droplet(lab.cloud, "far", region="fra1")
    switch = ReservedIpSwitch(**{**address.model_dump(exclude={"account", "block_type_slug"}),
                                 "account": address.account, "droplets": {**NAMES, "blue": ["far"]}})  # fmt: skip
    with pytest.raises(SwitchFailed, match="cannot leave its region"):
        switch.switch_to("blue", switch.read(), "test")
    assert far not in [id for _, _, id in lab.parts.addresses.log]
    assert switch.read().active == ("green",)


@pytest.mark.parametrize("act", ["error_action", "lose", "status"])
def test_an_address_after_a_fault_is_where_the_error_says(lab, address, act, monkeypatch):
    monkeypatch.setattr("blocks.digitalocean.networking.appeared", lambda look: look())
    lab.cloud.faults = [{"match": {"method": "POST", "path": "reserved_ips"}, "act": act, "times": 1, "status": 500}]
    if act == "lose":
        assert address.switch_to("blue", address.read(), "test").active == ("blue",)
    else:
        with pytest.raises(SwitchFailed):
            address.switch_to("blue", address.read(), "test")
        assert address.read().active == ("green",)


def test_a_locked_address_is_awaited(lab, address):
    seen = address.read()
    lab.cloud.reserved[IP]["locked"] = True
    threading.Timer(0.5, lambda: lab.cloud.reserved[IP].update(locked=False)).start()
    assert address.switch_to("blue", seen, "test").active == ("blue",)
