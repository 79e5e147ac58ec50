"""A stack that tests release in the lab: what it needs is made, and nothing of it is left."""

from collections.abc import Mapping
from pathlib import Path


def settings(reports: Path, **more: str) -> Mapping[str, str]:
    """Settings of a test run: reports go where nobody looks for the user's, Langfuse is left alone, and the whole stack
    runs on one droplet, without a data home."""
    own = {"SLIPWAY_LANGFUSE": "", "SLIPWAY_READINESS_DELAY": "1", "SLIPWAY_HOME": "", "SLIPWAY_SWITCH": ""}
    return {"SLIPWAY_REPORTS": str(reports), **own, **more}
