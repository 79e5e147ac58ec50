"""Whatever a droplet prints, reading it ends with a value or with one known error."""

import base64
import gzip

import pytest

from flows import watch as watch_flow
from flows.core.answers import LARGEST, unpacked
from flows.core.debug.overview import read_overview
from flows.core.droplet.containers import read_containers
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import UnreadableAnswer
from flows.core.gates.verdict import Verdict
from flows.core.records.storage import read_records
from flows.core.results import DropletStatus
from flows.settings import Settings
from flows.tasks.insight import droplets
from tests.support.builders import release

pytestmark = pytest.mark.unit

DIRECTORY = StackDirectory("/opt/slipway", "shop")
DEEP = "[" * 100_000
HALF = '[{"Id": "a", "Name": "/a", "State": {'
NO_FIELD = '[{"Id": "a"}]'


@pytest.mark.parametrize("text", [DEEP, HALF, NO_FIELD, '[{"Id": null, "Name": 7}]'])
def test_the_error_says_what_cannot_be_read_and_repeats_nothing_of_it(text):
    with pytest.raises(UnreadableAnswer, match=r"^what `docker inspect` printed cannot be read") as caught:
        read_containers(text)
    assert "[" not in str(caught.value)


def test_of_a_droplet_that_cannot_be_read_the_overview_says_so_and_keeps_the_rest():
    there = release()
    document = there.document().decode()
    found = read_overview("shop", "droplet web-1", f"\n@@slipway:release\n{document}\n@@slipway:containers\n{HALF}")
    assert found.containers == ()
    assert found.release == there
    assert "cannot be read" in found.trouble


def _unreadable(*_args, **_more):
    raise UnreadableAnswer("what the droplet says of itself cannot be read")


def test_a_watch_counts_a_droplet_that_talks_rubbish_as_not_well(monkeypatch):
    monkeypatch.setattr(watch_flow, "read_states", _unreadable)
    said = watch_flow._read(type("Side", (), {"colour": "green"})(), Settings())
    assert said.verdict is Verdict.FAIL
    assert "cannot be read" in said.words


def test_a_status_shows_the_other_droplets_when_one_talks_rubbish(monkeypatch):
    well = DropletStatus(None, "1.0")
    look = {"green": _unreadable, "blue": lambda: well}

    def asked(name: str) -> DropletStatus | Exception:
        try:
            return look[name]()
        except UnreadableAnswer as error:
            return error

    monkeypatch.setattr(droplets, "_target", lambda name, *_rest: name)
    monkeypatch.setattr(droplets, "_look", asked)
    found, _ = droplets.read_droplets("shop", Settings(green=("green",), blue=("blue",), home="", switch=""))
    assert found["blue"] == well
    assert "cannot be read" in found["green"].trouble
    with pytest.raises(UnreadableAnswer):
        droplets.read_droplets("shop", Settings(switch=""), ["green"])


def test_a_history_that_unpacks_to_more_than_the_limit_is_not_unpacked_whole():
    assert unpacked(gzip.compress(b"x" * 100), 100) == b"x" * 100
    with pytest.raises(ValueError, match="more than 99 bytes"):
        unpacked(gzip.compress(b"x" * 100), 99)
    bomb = base64.b64encode(gzip.compress(bytes(LARGEST + 1), 9)).decode()
    with pytest.raises(UnreadableAnswer, match="history"):
        read_records({"history": bomb}, "shop")
