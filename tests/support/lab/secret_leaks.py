"""Secrets that nobody may see: what is looked for, and all that Prefect and the registry were told."""

import base64
import gzip
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import zip_longest
from typing import Any

import httpx

from tests.support.lab.lab import prefect_api
from tests.support.lab.registry_namespace import RegistryNamespace

_BLANK = b" \t\r\n"
_PIECE = 12
_PAGE = 200
SMALL = 1_000_000


class Needles:
    """Pieces of secrets, in which half a secret can be told too, and the names of those they belong to.

    Args:
        secrets: name → value. Of each word of 16 letters and digits or more its beginning and its end are looked for,
            as they are and in base64, wherever in the encoded text they begin.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.names: dict[bytes, str] = {}
        for name, value in secrets.items():
            words = re.findall(r"[A-Za-z0-9+/_-]{16,}", value)
            assert words, f"{name} cannot be looked for"
            for piece in {piece for word in words for piece in (word[:_PIECE], word[-_PIECE:])}:
                self.names.update(dict.fromkeys([piece.encode(), *in_base64(piece.encode())], name))

    def found(self, text: bytes | str) -> set[str]:
        """Names of the secrets of which something stands in a text, in whatever lines it was broken into."""
        raw = text.encode() if isinstance(text, str) else text
        squeezed = raw.replace(b"\\n", b"").translate(None, _BLANK)
        return {name for piece, name in self.names.items() if piece in squeezed}

    def leaks(self, places: Iterable[tuple[str, bytes | str]]) -> set[tuple[str, str]]:
        """(place, name of the secret) for everything that is found there."""
        return {(place, name) for place, text in places for name in self.found(text)}

    def lines(self) -> bytes:
        """All pieces, one a line, for `grep -F -f`."""
        return b"\n".join(self.names) + b"\n"


def in_base64(piece: bytes) -> Iterator[bytes]:
    """What base64 makes of it, without the characters that its neighbours have a part in."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + piece + bytes(2))
        yield whole[(before * 8 + 5) // 6 : (before + len(piece)) * 8 // 6]


def kept_by_prefect(began: datetime) -> Iterator[tuple[str, str]]:
    """Everything the Prefect server was told since then: (what, its JSON)."""
    since = {"after_": began.isoformat()}
    with prefect_api() as client:
        yield from _pages(client, "logs", {"logs": {"timestamp": since}})
        for kind in ("flow_run", "task_run"):
            runs = list(_pages(client, f"{kind}s", {f"{kind}s": {"start_time": since}}))
            assert runs, f"there are no {kind}s"
            yield from runs
            for run in re.findall(r'^\{"id": ?"([0-9a-f-]{36})"', "\n".join(text for _, text in runs), re.MULTILINE):
                states = client.get(f"/{kind}_states/", params={f"{kind}_id": run}).raise_for_status()
                yield f"states of {kind} {run}", states.text
        yield from _pages(client, "artifacts", {"sort": "CREATED_DESC"}, began)
        yield from _pages(client, "block_documents", {})
        page = client.post("/events/filter", json={"filter": {"occurred": {"since": began.isoformat()}}, "limit": 50})
        while (events := page.raise_for_status().json())["events"]:
            yield "events", page.text
            if not events["next_page"]:
                return
            page = client.get(events["next_page"])


def _pages(
    client: httpx.Client, what: str, asked: dict[str, Any], began: datetime | None = None
) -> Iterator[tuple[str, str]]:
    """The entries of one kind; of those sorted by their age, those since then."""
    offset = 0
    while True:
        page = (
            client.post(f"/{what}/filter", json={**asked, "limit": _PAGE, "offset": offset}).raise_for_status().json()
        )
        for entry in page:
            if began and datetime.fromisoformat(entry["created"]) < began:
                return
            yield f"{what} {entry.get('name') or entry.get('key') or ''}", json.dumps(entry, ensure_ascii=False)
        offset += len(page)
        if len(page) < _PAGE:
            return


def published(
    registry: RegistryNamespace, *, largest: float = SMALL, without: Collection[str] = ()
) -> Iterator[tuple[str, bytes]]:
    """What a namespace of the registry holds: manifests, configurations, and layers, unpacked.

    Args:
        largest: size of the largest blob that is read, as it is stored.
        without: layers that are not read, by the digest of what they unpack to (`diff_ids` of an image).
    """
    with registry.block.client() as client:
        for repository in registry.repositories():
            for tag in registry.tags(repository):
                manifest = client.manifest(repository, tag)
                yield f"{repository}:{tag}", manifest.raw
                described = client.blob(repository, manifest.content["config"]["digest"])
                yield f"{repository}:{tag} {manifest.content['config']['mediaType']}", described
                unpacked_to = (json.loads(described).get("rootfs") or {}).get("diff_ids") or ()
                for layer, digest in zip_longest(manifest.content["layers"], unpacked_to):
                    if layer["size"] <= largest and digest not in without:
                        content = client.blob(repository, layer["digest"])
                        unpacked = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
                        yield f"{repository}:{tag} {layer['mediaType']}", unpacked
