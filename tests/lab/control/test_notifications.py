"""Notifications by a block of Prefect's own: the message that arrives can be read, and leads to the run."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import SyncPrefectClient

from blocks.polling import until
from flows.core.control.automations import notifications
from flows.core.control.events import APPROVAL_WAITING, ROLLED_BACK
from flows.core.errors import BlockMissing
from flows.tasks.control.automations import ensure_each, notification_block
from flows.tasks.runs.events import emit

pytestmark = pytest.mark.lab


@pytest.fixture
def messages() -> Iterator[tuple[str, list[dict]]]:
    """An address that takes messages, and what was said there."""
    said: list[dict] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", said
        server.shutdown()
        thread.join(10)


@pytest.fixture
def block(messages: tuple[str, list[dict]], unique: str) -> Iterator[str]:
    """A notification block that posts there, as `--notify` names it."""
    body = {"subject": "{{subject}}", "body": "{{body}}"}
    CustomWebhookNotificationBlock(name="test", url=messages[0], method="POST", json_data=body).save(unique)
    yield f"custom-webhook/{unique}"
    CustomWebhookNotificationBlock.delete(unique)


def test_a_rollback_and_a_question_are_told_each_as_one_message_with_its_run(
    client: SyncPrefectClient, messages: tuple[str, list[dict]], block: str, unique: str, made: list[str]
):
    wanted = [
        {**one, "name": f"{unique} {one['name']}", "trigger": {**one["trigger"], "match": {"slipway.stack": unique}}}
        for one in notifications(notification_block(client, block))
    ]
    made += [one["name"] for one in wanted]
    ensure_each(client, wanted)
    emit(ROLLED_BACK, stack=unique, tag="v1", droplet="green", previous="v2", reason="the gates failed")
    emit(APPROVAL_WAITING, stack=unique, tag="v3", reason="release v3 goes to green")
    said = until(lambda: messages[1], lambda found: len(found) >= 2, 60, pause=0.2)
    told = {one["subject"]: one["body"] for one in said}
    assert set(told) == {f"Slipway: {unique}: slipway.rolled-back", f"Slipway: {unique} waits for an answer"}
    assert told[f"Slipway: {unique}: slipway.rolled-back"].startswith(
        "release v1 on green, instead of v2: the gates failed"
    )
    assert "slipway approve" in told[f"Slipway: {unique} waits for an answer"]


def test_a_block_that_is_not_there_or_tells_nobody_is_refused(client: SyncPrefectClient, unique: str):
    with pytest.raises(BlockMissing, match="there is no block slack-webhook"):
        notification_block(client, f"slack-webhook/{unique}")
    with pytest.raises(BlockMissing, match="there is no block"):
        notification_block(client, "no-kind")
