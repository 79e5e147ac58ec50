"""Answers that once ended in an error of an unknown kind: each is refused now, or read as what it is."""

import json
from typing import Any

import pytest

from flows.core.trust.signatures import COMMIT, RELEASE
from tests.support.hostile.attacked import Attacked
from tests.support.hostile.changes import put
from tests.support.hostile.of_droplets import INSPECTED, OF_DROPLETS
from tests.support.hostile.of_files import OF_FILES
from tests.support.hostile.of_images import OF_IMAGES, SIGNED
from tests.support.hostile.of_providers import JSON, OF_PROVIDERS

pytestmark = pytest.mark.unit

ETAG = b'HTTP/1.1 200 OK\r\nEtag: "\xd6"\r\n\r\n[]'


def _challenged(words: str) -> dict[str, Any]:
    return {"headers": {"www-authenticate": f"Bearer {words}"}}


def _listed(name: str) -> bytes:
    return json.dumps({"format": 1, "entries": [[name, "f", "644", 1, "0" * 64]]}).encode()


def _signed(name: str, said: str) -> str:
    return json.dumps([put(SIGNED, ("optional", name), said)])


FOUND = {
    "a layer that is no archive": ("archive.read_archive", b"null", False),
    "a layer that is no mapping": ("described_layers", b'{"layers": [null]}', True),
    "an upload to no address": ("upload_place", "/\x05", False),
    "a pattern with a range from z to a": ("ignore_rules", "[z-a]", False),
    "a name of more parts than any file has": ("read_tree", _listed("a/" * 4000 + "a"), False),
    "a session that no header can name": (
        "list_tools", {"headers": {**JSON, "mcp-session-id": "÷"}, "body": {"result": {}}}, True
    ),
    "a token service without an address": ("answer_challenge", _challenged('realm=""'), True),
    "a token service at no address": ("answer_challenge", _challenged('realm="http://["'), False),
    "a token that no header can carry": (
        "answer_challenge",
        {**_challenged('realm="https://a.example"'), "body": {"token": "é"}},
        True,
    ),
    "a signature as of a release that has no tag": ("read_payloads", _signed(RELEASE, "-1"), True),
    "a signature as of a commit that no document holds": ("read_payloads", _signed(COMMIT, "\ud800"), True),
    "an image that docker says nothing of": ("known_base", "[]", False),
    "a mark of Caddy's that is no text": ("CaddyAdmin.read", ETAG, False),
    "an upstream of Caddy's that is none": ("CaddyAdmin.read", b'HTTP/1.1 200 OK\r\n\r\n[{"dial": {}}]', True),
    "restarts that are no number": ("read_inspected", [{**INSPECTED, "RestartCount": "x"}], False),
    "an environment that is no list": ("read_inspected", [{**INSPECTED, "Config": {"Image": "", "Env": "A=b"}}], False),
}  # fmt: skip


@pytest.mark.parametrize("what", FOUND)
def test_an_answer_that_once_ended_in_an_unknown_error_does_so_no_more(what: str) -> None:
    name, answer, read = FOUND[what]
    mine = next(one for one in (*OF_DROPLETS, *OF_FILES, *OF_IMAGES, *OF_PROVIDERS) if one.name.endswith(name))
    given = answer if mine.shape is None or isinstance(answer, str | bytes) else mine.shape([answer])
    assert mine.reads(given) is read


def test_an_error_that_nobody_knows_is_told() -> None:
    with pytest.raises(ZeroDivisionError):
        Attacked(int, "", read=lambda _: 1 // 0).reads("")
