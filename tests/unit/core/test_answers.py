"""Whatever a droplet prints, reading it ends with a value or with one known error."""

import base64
import contextlib
import gzip
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows import status as status_flow
from flows import watch as watch_flow
from flows.core.answers import LARGEST, unpacked
from flows.core.debug.evidence import read_evidence
from flows.core.debug.overview import read_overview
from flows.core.deploy.deployed_state import read_deployed_state
from flows.core.deploy.facts import read_facts
from flows.core.deploy.files.droplet_trees import read_trees
from flows.core.droplet.containers import read_containers
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.lock import read_holder
from flows.core.droplet.running import read_resolved, read_running
from flows.core.errors import SlipwayError, UnreadableAnswer
from flows.core.gates.verdict import Verdict
from flows.core.prune.inventory import read_inventory
from flows.core.prune.system_prune import read_prunable
from flows.core.records.storage import read_records
from flows.core.release.release import read_release
from flows.core.release.tree import read_tree
from flows.settings import Settings
from tests.support.builders import release

pytestmark = pytest.mark.unit

DIRECTORY = StackDirectory("/opt/slipway", "shop")
PARSERS = {
    "containers": read_containers,
    "running": read_running,
    "resolved": read_resolved,
    "facts": lambda text: read_facts(text, "shop"),
    "inventory": lambda text: read_inventory(text, "shop"),
    "prunable": read_prunable,
    "records": lambda text: read_records({"history": text}, "shop"),
    "deployed state": lambda text: read_deployed_state(text, DIRECTORY, "web-1"),
    "overview": lambda text: read_overview("shop", "droplet web-1", text),
    "evidence": read_evidence,
    "holder": read_holder,
    "trees": read_trees,
    "release": lambda text: read_release(text.encode(errors="replace")),
    "tree": lambda text: read_tree(text.encode(errors="replace")),
}
DEEP = "[" * 100_000
HALF = '[{"Id": "a", "Name": "/a", "State": {'
NO_FIELD = '[{"Id": "a"}]'
NAMES = ("containers", "images", "info", "history", "kept", "release", "config", "disk", "mounts", "documents",
         "version", "usage x", "log x", "host memory", "host disk", "events x", "now", "records",
         "standing", "current", "names")  # fmt: skip
values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
                      lambda inner: st.lists(inner, max_size=3)
                      | st.dictionaries(st.sampled_from(["Id", "Name", "State", "Config", "tags", "digests", "Image"])
                                        | st.text(max_size=4), inner, max_size=3), max_leaves=8)  # fmt: skip
bodies = st.text(max_size=60) | values.map(json.dumps) | st.sampled_from([DEEP, HALF, NO_FIELD, "9" * 5000, "1e999"])
outputs = st.lists(st.tuples(st.sampled_from(NAMES), bodies), max_size=5).map(
    lambda parts: "".join(f"\n@@slipway:{name}\n{body}\n" for name, body in parts)
)


@pytest.mark.parametrize("parser", list(PARSERS))
@example(DEEP)
@example(HALF)
@example(NO_FIELD)
@example("a: &a [x]\n" + "9" * 5000)
@given(bodies | outputs)
def test_no_answer_ends_in_an_error_of_an_unknown_kind(parser, text):
    with contextlib.suppress(SlipwayError):
        PARSERS[parser](text)


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
    well = status_flow.DropletStatus(None, "1.0")
    look = {"green": _unreadable, "blue": lambda *_args: well}
    monkeypatch.setattr(status_flow, "_look", lambda droplet, *rest: look[droplet](*rest))
    monkeypatch.setattr(status_flow, "_active", lambda _settings: None)
    monkeypatch.setattr(status_flow, "table", lambda *_args: None)
    monkeypatch.setattr(status_flow, "stack_name", lambda name: name)
    monkeypatch.setattr(status_flow, "Settings", type("S", (), {"shown": ("green", "blue"), "stack": "shop"}))
    found = status_flow.status.fn("shop")
    assert found["blue"] == well
    assert "cannot be read" in found["green"].trouble


def test_a_history_that_unpacks_to_more_than_the_limit_is_not_unpacked_whole():
    assert unpacked(gzip.compress(b"x" * 100), 100) == b"x" * 100
    with pytest.raises(ValueError, match="more than 99 bytes"):
        unpacked(gzip.compress(b"x" * 100), 99)
    bomb = base64.b64encode(gzip.compress(bytes(LARGEST + 1), 9)).decode()
    with pytest.raises(UnreadableAnswer, match="history"):
        read_records({"history": bomb}, "shop")
