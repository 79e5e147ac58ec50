"""The plans of the container registry.

Source: https://docs.digitalocean.com/products/container-registry/details/pricing/
"""

from __future__ import annotations

from typing import Any

from .cloud import Cloud

GB = 1 << 30


def _plan(name: str, repositories: int, storage: int, price: int, overage: bool) -> dict[str, Any]:
    return {
        "name": name, "slug": name.lower(), "included_repositories": repositories,
        "included_storage_bytes": storage, "allow_storage_overage": overage,
        "included_bandwidth_bytes": storage, "monthly_price_in_cents": price, "storage_overage_price_in_cents": 2,
    }  # fmt: skip


TIERS = {
    "starter": _plan("Starter", 1, GB // 2, 0, False),
    "basic": _plan("Basic", 5, 5 * GB, 500, True),
    "professional": _plan("Professional", 0, 100 * GB, 2000, True),
}


def tier(cloud: Cloud) -> dict[str, Any]:
    """The account's, with what a test changed of it."""
    return {**TIERS[cloud.settings["tier"]], **cloud.settings.get("plan", {})}
