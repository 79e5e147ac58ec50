"""Alertmanager of the distribution posts its own body, through the receiver, to Prefect's event bus."""

import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prefect.client.orchestration import SyncPrefectClient

from blocks.polling import until
from flows.tasks.control.alert_receiver import PLACE, AlertReceiver

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(PROGRAM is None, reason="no Alertmanager is installed: apt-get install prometheus-alertmanager"),
]
TOKEN = "a-token-that-alertmanager-reads-from-a-file"


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    """A receiver that serves."""
    with AlertReceiver(0, TOKEN, "compose") as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join(10)


@pytest.fixture
def alertmanager(receiver: AlertReceiver, tmp_path: Path) -> Iterator[httpx.Client]:
    """An Alertmanager that posts to the receiver."""
    assert PROGRAM
    (tmp_path / "token").write_text(TOKEN)
    login = {"authorization": {"credentials_file": str(tmp_path / "token")}}
    hook = {"url": f"http://127.0.0.1:{receiver.server_port}{PLACE}", "send_resolved": True, "http_config": login}
    route = {"receiver": "slipway", "group_wait": "0s", "group_interval": "1s", "group_by": ["alertname"]}
    config = {"route": route, "receivers": [{"name": "slipway", "webhook_configs": [hook]}]}
    (tmp_path / "alertmanager.yml").write_text(json.dumps(config))  # JSON is YAML
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        PROGRAM, f"--config.file={tmp_path / 'alertmanager.yml'}", f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    log = (tmp_path / "log").open("w")
    with log, subprocess.Popen(words, stdout=log, stderr=log) as process:
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v2", trust_env=False, timeout=10)
        until(lambda: ready(client), bool, 30, pause=0.2, unfinished=lambda *_: AssertionError("it does not start"))
        yield client
        process.terminate()


def ready(client: httpx.Client) -> bool:
    try:
        return client.get("/status").status_code == 200
    except httpx.TransportError:
        return False


def test_what_alertmanager_says_becomes_events(alertmanager: httpx.Client, client: SyncPrefectClient, unique: str):
    labels = {"alertname": "HighErrorRate", "stack": unique, "colour": "green", "action": "switch-back"}
    firing = {"labels": labels, "annotations": {"summary": "4 % of the requests fail"}}
    assert alertmanager.post("/alerts", json=[firing]).status_code == 200
    (fired,) = events_of(client, unique, 1)
    assert fired["event"] == "slipway.alert.firing"
    assert fired["resource"]["slipway.action"] == "switch-back"
    assert (fired["payload"]["alert"], fired["payload"]["reason"]) == ("HighErrorRate", "4 % of the requests fail")

    over = {**firing, "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:00:01Z"}
    assert alertmanager.post("/alerts", json=[over]).status_code == 200
    assert [event["event"] for event in events_of(client, unique, 2)] == [
        "slipway.alert.firing", "slipway.alert.resolved",
    ]  # fmt: skip


def events_of(client: SyncPrefectClient, stack: str, count: int) -> list[dict]:
    """The events of a stack, once there are so many, in their order."""
    about = {"filter": {"resource": {"id": [f"slipway.stack.{stack}"]}}, "limit": 50}
    found = until(
        lambda: client.request("POST", "/events/filter", json=about).json()["events"],
        lambda events: len(events) >= count,
        60,
        pause=0.5,
        unfinished=lambda events, _seconds: AssertionError(f"{len(events)} of {count} events"),
    )
    return sorted(found, key=lambda event: event["occurred"])
