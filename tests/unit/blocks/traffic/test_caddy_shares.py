"""A share of the clients, set and ended by a file beside the state file."""

import json
from pathlib import Path

import pytest

from blocks import CaddySwitch, Droplet
from blocks.errors import SwitchFailed, SwitchMoved
from blocks.traffic.caddy_files import read_switch_files
from blocks.traffic.state import Share, SwitchState
from tests.support.http_server import Says, serving
from tests.support.local_session import LocalSession

pytestmark = pytest.mark.unit

HOST = Droplet(host="10.0.0.9", private_key="k")
URL = "http://edge.example.com"


@pytest.fixture
def switch(tmp_path, monkeypatch) -> CaddySwitch:
    monkeypatch.setattr(Droplet, "session", lambda _droplet: LocalSession())
    (tmp_path / "blue").write_text('{"by": "before"}')
    return CaddySwitch(url=URL, host=HOST, directory=str(tmp_path))


def files(switch):
    return sorted(one.name for one in Path(switch.directory).iterdir() if one.name != "lock")


def test_a_share_is_a_file_beside_the_state_file_and_says_who_set_it(switch, tmp_path):
    seen = switch.read()
    now = switch.set_share("green", 5, seen, "run 7")
    assert files(switch) == ["blue", "canary-green-05"]
    assert (now.active, now.mark, now.by) == (seen.active, seen.mark, seen.by)
    assert (now.share.colour, now.share.percent, now.share.by) == ("green", 5, "run 7")
    assert now == switch.read()
    assert set(json.loads((tmp_path / "canary-green-05").read_text())) == {"by", "at", "id"}
    assert str(now.share) == "5 % of the clients on green"


def test_a_share_that_rises_takes_the_place_of_the_last_one(switch):
    for percent in (5, 25, 25, 99):
        now = switch.set_share("green", percent, switch.read(), "me")
        assert files(switch) == ["blue", f"canary-green-{percent:02}"]
        assert now.share.percent == percent


def test_it_is_ended_by_name_and_by_each_turn(switch):
    switch.set_share("green", 5, switch.read(), "me")
    assert switch.end_share().share is None
    assert switch.end_share() == switch.read()
    for to in ("green", "green", "blue"):
        switch.set_share("green" if to == "blue" else "blue", 5, switch.read(), "me")
        assert switch.switch_to(to, switch.read(), "me").share is None
        assert files(switch) == [to]


def test_a_turn_that_was_decided_before_the_share_is_made(switch):
    seen = switch.read()
    switch.set_share("green", 5, seen, "me")
    assert switch.switch_to("green", seen, "me").active == ("green",)


@pytest.mark.parametrize("change", ["turned", "another share", "none any more"])
def test_a_share_from_a_state_that_does_not_stand_any_more_is_refused(switch, change):
    switch.set_share("green", 5, switch.read(), "me")
    seen = switch.read()
    if change == "turned":
        switch.switch_to("green", seen, "somebody else")
    elif change == "another share":
        switch.set_share("green", 10, seen, "somebody else")
    else:
        switch.end_share()
    before = files(switch)
    with pytest.raises(SwitchMoved, match=r"was changed by .* since it was read: it points at .* now, with .*status"):
        switch.set_share("green", 25, seen, "me")
    assert files(switch) == before


def test_a_share_that_is_sent_again_finds_that_it_was_set(switch):
    seen = switch.read()
    assert switch.set_share("green", 5, seen, "me") == switch.set_share("green", 5, seen, "me")


def test_a_directory_that_is_not_there_is_told(switch):
    gone = switch.model_copy(update={"directory": "/none/such"})
    for work in (lambda: gone.set_share("green", 5, SwitchState(()), "me"), gone.end_share):
        with pytest.raises(SwitchFailed, match=r"/none/such on .* cannot be changed"):
            work()


def test_by_the_admin_api_there_are_no_shares():
    ups = {"green": ["g:1"], "blue": ["b:1"]}
    admin = CaddySwitch(url=URL, host=HOST, way="admin", upstreams=ups)
    assert "by the admin API" in admin.undivided
    with pytest.raises(SwitchFailed, match="knows no shares"):
        admin.set_share("green", 5, SwitchState(("blue",)), "me")


@pytest.mark.parametrize(
    ("output", "share"),
    [
        ("blue {}\ncanary-green-05 {\"by\": \"x\"}", Share("green", 5, 'canary-green-05 {"by": "x"}', "x")),
        ("canary-green-05 by hand", Share("green", 5, "canary-green-05 by hand", "")),
        ("canary-green-05 a\ncanary-blue-25 b", Share("green", 5, "canary-green-05 a\ncanary-blue-25 b", "")),
        ("canary-red-05 \ncanary-green-5 \ncanary-green-105 \ncanary-green-ab \nxcanary-green-05 ", None),
    ],
)  # fmt: skip
def test_a_share_is_read_whatever_the_files_hold(output, share):
    assert read_switch_files(output).share == share


def test_what_the_edge_says_of_shares_is_asked_through_it(switch):
    answers = [Says(content=b"none\n"), Says(404, b"none")]
    with serving(lambda _asked: answers.pop(0)) as edge:
        asked = switch.model_copy(update={"url": edge.url})
        assert [asked.seen_share(), asked.seen_share()] == ["none", "status 404"]
        assert [one.path for one in edge.asked] == ["/.slipway/canary"] * 2
    assert "Error" in asked.seen_share(0.5)
