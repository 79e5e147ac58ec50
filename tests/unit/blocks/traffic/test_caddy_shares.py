"""A share of the clients, set and ended by a file beside the state file."""

import json

import pytest

from blocks import CaddySwitch, Droplet
from blocks.errors import SwitchFailed, SwitchMoved
from blocks.traffic.switch import Share, SwitchState, TrafficSwitch
from tests.support import PATIENCE
from tests.support.http_server import serving
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
    from pathlib import Path

    return sorted(one.name for one in Path(switch.directory).iterdir() if one.name != "lock")
