"""A Caddy that is switched by a file, as a block: what it says of its position, and how it says no."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from blocks import CaddySwitch, Droplet
from blocks.errors import SwitchFailed, SwitchMoved, Unreachable
from blocks.traffic.state import SwitchState
from tests.support.local_session import LocalSession

pytestmark = pytest.mark.unit

URL = "http://edge.example.com"
HOST = Droplet(host="10.0.0.9", private_key="k")
UPSTREAMS = {"green": ["g:1"], "blue": ["b:1"]}


@pytest.fixture
def opened(monkeypatch) -> list[LocalSession]:
    """Every session that was opened; a new one is opened to this machine."""
    sessions: list[LocalSession] = []

    def session(_droplet) -> LocalSession:
        sessions.append(LocalSession())
        return sessions[-1]

    monkeypatch.setattr(Droplet, "session", session)
    return sessions


@pytest.fixture
def switch(tmp_path, opened) -> CaddySwitch:
    return CaddySwitch(url=URL, host=HOST, directory=str(tmp_path))


def test_a_turn_is_told_with_who_made_it(switch, tmp_path):
    (tmp_path / "green").write_text('{"by": "somebody"}')
    seen = switch.read()
    assert (seen.active, seen.by) == (("green",), "somebody")
    now = switch.switch_to("blue", seen, 'run 7 of M\u00fcller\'s "flow"')
    assert (now.active, now.by) == (("blue",), 'run 7 of M\u00fcller\'s "flow"')
    assert now == switch.read()
    assert set(json.loads((tmp_path / "blue").read_text())) == {"by", "at", "id"}


def test_each_turn_has_a_mark_of_its_own(switch):
    marks = [switch.switch_to(to, switch.read(), "me").mark for to in ("green", "blue", "green", "blue")]
    assert len(set(marks)) == 4


@pytest.mark.parametrize(
    ("files", "position"),
    [
        ({}, SwitchState(())),
        ({"blue": ""}, SwitchState(("blue",), "blue ")),
        ({"blue": "touched by hand"}, SwitchState(("blue",), "blue touched by hand")),
        ({"blue": "[]"}, SwitchState(("blue",), "blue []")),
        ({"green": "", "blue": '{"by": "x"}'}, SwitchState(("green", "blue"), 'green \nblue {"by": "x"}', "x")),
    ],
    ids=["nowhere", "an empty file", "no JSON", "other JSON", "both"],
)
def test_a_position_is_read_whatever_the_files_hold(switch, tmp_path, files, position):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    assert switch.read() == position


def test_a_turn_from_where_it_does_not_stand_any_more_is_refused_with_who_moved_it(switch, tmp_path):
    (tmp_path / "green").touch()
    seen = switch.read()
    switch.switch_to("blue", seen, "run 7")
    with pytest.raises(SwitchMoved, match=r"\(http://edge\.example\.com\) was moved by run 7 .*at blue now.*status"):
        switch.switch_to("green", seen, "me")
    assert switch.read().active == ("blue",)


def test_a_switch_that_was_taken_away_was_moved_by_somebody(switch, tmp_path):
    (tmp_path / "green").touch()
    seen = switch.read()
    (tmp_path / "green").unlink()
    with pytest.raises(SwitchMoved, match=r"was moved by somebody since it was read: it points at nowhere now"):
        switch.switch_to("blue", seen, "me")


def test_a_turn_that_is_sent_again_finds_that_it_was_made(switch, tmp_path):
    (tmp_path / "green").touch()
    seen = switch.read()
    first = switch.switch_to("blue", seen, "me")
    assert switch.switch_to("blue", seen, "me") == first


def test_a_directory_that_is_not_there_is_told_with_where_to_look(opened):
    switch = CaddySwitch(url=URL, host=HOST, directory="/none/such")
    with pytest.raises(SwitchFailed, match=r"/none/such on .*10\.0\.0\.9:22 cannot be read: .*BLUE_GREEN_DEPLOYMENT"):
        switch.read()
    with pytest.raises(SwitchFailed, match=r"/none/such on .*10\.0\.0\.9:22 cannot be changed: .*/none/such"):
        switch.switch_to("blue", SwitchState(()), "me")


def test_a_turn_that_did_nothing_is_not_taken_for_one(switch, tmp_path):
    class Lying(LocalSession):
        def run(self, argv, **more):
            return super().run(["echo", "green said so"], **more)

    switch._session = Lying()
    with pytest.raises(SwitchFailed, match="was turned to blue, but says green"):
        switch.switch_to("blue", SwitchState(("green",)), "me")


def test_one_connection_is_kept_and_one_that_broke_is_replaced(switch, opened):
    switch.read()
    switch.read()
    assert len(opened) == 1
    opened[0].alive = False
    assert switch.read() == SwitchState(())
    assert [session.closed for session in opened] == [True, False]
    switch.close()
    assert opened[1].closed
    assert switch.read() == SwitchState(())


def test_a_connection_that_breaks_is_told_as_it_is(switch, opened):
    switch.read()
    opened[0].fails = [Unreachable("gone")]
    with pytest.raises(Unreachable, match="gone"):
        switch.switch_to("blue", SwitchState(()), "me")


def test_what_is_reached_is_said_in_words_and_let_go_of(switch, opened, tmp_path):
    assert switch.reach() == f"traffic switch CaddySwitch for {URL}: points at nowhere"
    (tmp_path / "green").touch()
    assert switch.reach().endswith(": points at green")
    assert [session.closed for session in opened] == [True, True]


def test_nothing_but_the_directory_and_the_colour_is_in_the_command(switch, opened):
    switch.switch_to("blue", switch.read(), "sentinel")
    assert not [word for argv in opened[0].asked for word in argv if "sentinel" in word]


@pytest.mark.parametrize("upstreams", [{}, {"green": ["g:1"]}, {"green": ["g:1"], "blue": []}])
def test_the_admin_way_needs_the_upstreams_of_both_colours(upstreams):
    with pytest.raises(ValidationError, match="needs the upstreams of green and of blue"):
        CaddySwitch(url=URL, host=HOST, way="admin", upstreams=upstreams)


@pytest.mark.parametrize(
    "wrong", [{"url": "edge:80"}, {"directory": "here"}, {"directory": "/two words"}, {"probe_path": "x"}]
)
def test_a_switch_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        CaddySwitch(**{"url": URL, "host": HOST, **wrong})


def test_each_way_says_what_clients_see():
    file, admin = (CaddySwitch(url=URL, host=HOST, way=way, upstreams=UPSTREAMS) for way in ("state-file", "admin"))
    assert file.client_impact.startswith("The next request goes to the new colour")
    assert admin.client_impact.startswith("Caddy reloads: some connections are reset")
    assert Path(file.directory).is_absolute()


def test_a_lost_directory_of_the_edge_is_made_again_by_a_command_that_is_told(tmp_path, opened):
    lost = CaddySwitch(url=URL, host=HOST, directory=f"{tmp_path}/.edge/state/shop")
    with pytest.raises(SwitchFailed, match=f"slipway edge setup .*--stack shop --url {URL}, slipway promote --to"):
        lost.read()
    elsewhere = CaddySwitch(url=URL, host=HOST, directory=f"{tmp_path}/lost")
    with pytest.raises(SwitchFailed, match="Is that where Caddy looks"):
        elsewhere.read()
