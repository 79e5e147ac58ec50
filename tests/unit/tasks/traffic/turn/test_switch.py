"""Traffic through the switch: which colour answers, asked as any client would, and turns that are tried again."""

import socket
import threading

import pytest
from pydantic import PrivateAttr

from blocks import CaddySwitch, Droplet
from blocks.errors import SwitchFailed, SwitchMoved, Unreachable
from blocks.traffic.state import SwitchProbe, SwitchState
from blocks.traffic.switch import TrafficSwitch
from flows.core.errors import NoSwitch
from flows.settings import Settings
from flows.tasks.traffic import switch as traffic
from tests.support import PATIENCE
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit


class Switch(TrafficSwitch):
    """Does and hears what a test gives it, one after another; the last one again and again."""

    _block_type_slug = "slipway-test-switch"

    @property
    def client_impact(self) -> str:
        return "Nothing is cut."

    def read(self) -> SwitchState:
        return self.switch_to("", SwitchState(()), "")

    def switch_to(self, to: str, seen: SwitchState, by: str) -> SwitchState:
        done = self._next("turns")
        if isinstance(done, Exception):
            raise done
        return done

    def close(self) -> None:
        self._closed += 1

    def _next(self, kind: str) -> object:
        left = getattr(self, f"_{kind}")
        self._count += 1
        return left.pop(0) if len(left) > 1 else left[0]

    _turns: list = PrivateAttr(default_factory=list)
    _heard: list = PrivateAttr(default_factory=list)
    _count: int = 0
    _closed: int = 0


class Hearing(Switch):
    _block_type_slug = "slipway-test-hearing"

    def probe(self, timeout: float = 5.0) -> SwitchProbe:
        return self._next("heard")


def switch(kind: type[Switch] = Switch, url: str = "http://edge", **kept) -> Switch:
    made = kind(url=url)
    for name, value in kept.items():
        setattr(made, f"_{name}", list(value))
    return made


@pytest.mark.parametrize(
    ("says", "colour", "well"),
    [
        (Says(200, b"ok", {"X-Slipway-Colour": "blue"}), "blue", True),
        (Says(404, b"", {"x-slipway-colour": "blue"}), "blue", True),
        (Says(200, b"ok"), None, True),
        (Says(500, b"", {"X-Slipway-Colour": "blue"}), "blue", False),
        (Says(503, b"No colour is active"), None, False),
    ],
)
def test_what_answers_through_the_switch_is_heard_with_its_colour(says, colour, well):
    with serving(lambda _asked: says) as http:
        heard = switch(url=f"{http.url}/").probe()
        [asked] = http.asked
    assert (heard.colour, heard.status, heard.well) == (colour, says.status, well)
    assert heard.detail == f"GET {http.url}/health: {says.status} from {colour or 'nobody known'}"
    assert (asked.method, asked.path, asked.headers["connection"]) == ("GET", "/health", "close")


def test_a_path_of_ones_own_is_asked():
    with serving(lambda _asked: Says()) as http:
        made = Switch(url=http.url, probe_path="/up?x=1")
        assert made.probe().status == 200
        assert (http.asked[0].path, http.asked[0].query) == ("/up", {"x": ["1"]})


def test_where_nothing_listens_nothing_is_heard():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        heard = switch(url=url).probe()
    assert (heard.colour, heard.status, heard.well) == (None, 0, False)
    assert heard.detail.startswith(f"GET {url}/health: ConnectError: ")


@pytest.mark.parametrize("url", ["http://edge:http", "http://"])
def test_an_address_that_is_none_is_heard_as_trouble(url):
    heard = switch(url=url).probe()
    assert (heard.well, heard.status) == (False, 0)
    assert heard.detail


def test_a_slow_answer_is_not_waited_for():
    over = threading.Event()

    def slow(_asked) -> Says:
        over.wait(PATIENCE)
        return Says()

    with serving(slow) as http:
        heard = switch(url=http.url).probe(timeout=0.05)
        over.set()
    assert (heard.colour, heard.well, "Timeout" in heard.detail) == (None, False, True)


BLUE, GREEN = SwitchProbe("blue", 200, "200 from blue"), SwitchProbe("green", 200, "200 from green")
SICK, NOBODY = SwitchProbe("blue", 503, "503 from blue"), SwitchProbe(None, 0, "ConnectError")


@pytest.mark.parametrize(
    ("heard", "asked"),
    [
        ([BLUE], 3),
        ([GREEN, BLUE], 4),
        ([BLUE, BLUE, GREEN, BLUE], 6),
        ([BLUE, BLUE, SICK, BLUE, NOBODY, BLUE], 8),
    ],
    ids=["at once", "late", "another in between", "trouble in between"],
)
def test_a_colour_has_answered_after_three_good_answers_in_a_row(monkeypatch, heard, asked):
    monkeypatch.setattr(traffic, "_PAUSE", 0)
    made = switch(Hearing, heard=heard)
    assert traffic.probe_switch.fn(made, "blue", 5) == BLUE
    assert made._count == asked


@pytest.mark.parametrize("instead", [GREEN, SICK, NOBODY, SwitchProbe(None, 200, "200 from nobody known")])
def test_a_colour_that_does_not_answer_in_time_is_told_with_what_came_instead(monkeypatch, instead):
    monkeypatch.setattr(traffic, "_PAUSE", 0.001)
    with pytest.raises(SwitchFailed) as error:
        traffic.probe_switch.fn(switch(Hearing, heard=[BLUE, BLUE, instead]), "blue", 0.02)
    said = "blue does not answer through traffic switch Hearing (http://edge) after 0.02 s"
    assert str(error.value) == f"{said}: {instead.detail}"


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """The warnings of a turn."""
    kept: list[str] = []

    class Log:
        def warning(self, text: str, *values: object) -> None:
            kept.append(text % values)

    monkeypatch.setattr(traffic, "get_run_logger", Log)
    monkeypatch.setattr(traffic, "_RETRY", 0.001)
    return kept


THERE = SwitchState(("blue",), "mark", "me")


def test_a_turn_whose_answer_was_lost_is_sent_again(told):
    made = switch(turns=[Unreachable("gone"), Unreachable("still gone"), THERE])
    assert traffic.switch_to.fn(made, "blue", SwitchState(("green",)), "me", 5) == THERE
    assert (made._count, told) == (3, ["gone; trying again for 5 s"])


def test_a_switch_that_cannot_be_reached_is_given_up_in_the_end(told):
    made = switch(turns=[Unreachable("gone")])
    with pytest.raises(Unreachable, match="gone"):
        traffic.switch_to.fn(made, "blue", SwitchState(("green",)), "me", 0.02)
    assert made._count > 1


@pytest.mark.parametrize("no", [SwitchMoved("moved"), SwitchFailed("broken")])
def test_a_switch_that_says_no_is_not_asked_again(told, no):
    made = switch(turns=[no, THERE])
    with pytest.raises(type(no)):
        traffic.switch_to.fn(made, "blue", SwitchState(("green",)), "me", 5)
    assert (made._count, told) == (1, [])


def test_where_it_points_is_unknown_when_it_cannot_be_read():
    assert traffic.try_read_switch(switch(turns=[THERE])) == THERE
    assert traffic.try_read_switch(switch(turns=[SwitchFailed("no")])) is None
    assert traffic.try_read_switch(switch(turns=[Unreachable("no")])) is None


def test_without_a_switch_there_is_one_colour_only():
    with pytest.raises(NoSwitch, match="slipway switch add"), traffic.open_switch(Settings(switch="")):
        pass


def test_a_switch_is_opened_by_its_name_and_closed_however_it_ends(monkeypatch):
    asked, made = [], switch()
    monkeypatch.setattr(traffic, "load_any", lambda *words: asked.append(words) or made)

    def use() -> None:
        with traffic.open_switch(Settings(switch="edge")) as opened:
            assert (opened, made._closed) == (made, 0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert (made._closed, asked[0][1]) == (1, "edge")
    assert asked[0][2].startswith("slipway switch add edge ")


def test_the_key_of_its_host_is_kept_out_of_every_log(monkeypatch):
    kept, key = [], "-----BEGIN KEY-----\nsentinel-of-a-key\n-----END KEY-----"
    edge = CaddySwitch(url="http://edge", host=Droplet(host="edge", private_key=key))
    monkeypatch.setattr(traffic, "load_any", lambda *_words: edge)
    monkeypatch.setattr(traffic, "register_secrets", kept.extend)
    with traffic.open_switch(Settings(switch="edge")) as opened:
        assert opened is edge
    assert "sentinel-of-a-key" in kept
