"""Saved blocks as plain values: their fields, with the blocks that they hold in place."""

import hashlib
from typing import Any
from urllib.parse import quote

from blocks.errors import PrefectFailed
from flows.api.client import PrefectApi
from flows.core.registry.references import slug as as_slug


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
    if not isinstance(said, dict) or not isinstance(said.get("data"), dict):
        raise PrefectFailed(f"what answers at {api.connection.url} is not Prefect's API")
    data: dict[str, Any] = said["data"]
    return data


def block_name(stack: str) -> str:
    """A stack's name as a block's: Prefect allows lower-case letters, digits and dashes.

    A name that has others is told apart from one that has not by a hash: `a_b` and `a-b` are two stacks.
    """
    allowed = as_slug(stack).replace(".", "-").replace("_", "-")
    return allowed if allowed == stack else f"{allowed}-{hashlib.sha256(stack.encode()).hexdigest()[:8]}"
