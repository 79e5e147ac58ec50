"""`python tests/contract`: what was exchanged with the lab's stand-in so far, checked against the description."""

import json
import os
import sys
from pathlib import Path

import httpx
import official

STATE = Path(os.environ.get("SLIPWAY_STATE") or official.ROOT / ".slipway")


def main() -> int:
    """Returns the exit code: 1 for a violation."""
    if not official.SPEC.exists():
        print(f"Not checked: {official.ABSENT}")
        return 0
    checked = official.check(exchanges())
    report = Path(os.environ.get("SLIPWAY_REPORTS") or "reports") / "digitalocean-contract.md"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(checked.markdown())
    print(checked.markdown())
    return 1 if checked.violations else 0


def exchanges(since: int = 0) -> list[dict]:
    """Everything that was exchanged since that number."""
    token = json.loads((STATE / "lab/credentials.json").read_text())["digitalocean_token"]
    port = os.environ.get("SLIPWAY_LAB_DIGITALOCEAN_PORT") or 8090
    url, login = f"http://127.0.0.1:{port}/_lab/exchanges", {"Authorization": f"Bearer {token}"}
    return httpx.get(url, params={"since": since}, headers=login, timeout=60, trust_env=False).json()["exchanges"]


if __name__ == "__main__":
    sys.exit(main())
