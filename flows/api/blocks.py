"""Saved blocks as plain values: their fields, with the blocks that they hold in place."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from blocks.errors import PrefectFailed
from flows.api.client import PrefectApi

_PAGE = 200


def read_block(api: PrefectApi, slug: str, name: str) -> dict[str, Any] | None:
    """The fields of a saved block, secrets included; None where it was never saved.

    Args:
        slug: of the block's type, such as `slipway-droplet`.

    Raises:
        Unreachable, LoginRefused, PrefectFailed
    """
    path = f"/block_types/slug/{quote(slug, safe='')}/block_documents/name/{quote(name, safe='')}"
    said = api.get(path, include_secrets=True)
    if said is None:
        return None
    return _fields(said, api)


def read_blocks(api: PrefectApi, slug: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The fields of the blocks of these names that were saved, by one question for them all.

    Raises:
        Unreachable, LoginRefused, PrefectFailed
    """
    wanted, found = sorted(set(names)), dict[str, dict[str, Any]]()
    for begin in range(0, len(wanted), _PAGE):
        body = {
            "block_types": {"slug": {"any_": [slug]}},
            "block_documents": {"is_anonymous": {"eq_": False}, "name": {"any_": wanted[begin : begin + _PAGE]}},
            "include_secrets": True,
            "limit": _PAGE,
        }
        said = api.post("/block_documents/filter", body)
        for one in said if isinstance(said, list) else [said]:
            fields = _fields(one, api)
            found[str(one.get("name"))] = fields
    return found


def _fields(said: Any, api: PrefectApi) -> dict[str, Any]:
    if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
        raise PrefectFailed(f"what answers at {api.connection.url} is not Prefect's API")
    data: dict[str, Any] = said["data"]
    return data
