"""Fill and save the Prefect blocks for the lab: `python compose/lab/blocks.py`.

Everything comes from the lab's state directory, where the lab's scripts keep its credentials and the host
keys of its machines. Saving again replaces what was saved.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("SLIPWAY_STATE") or CHECKOUT / ".slipway")
sys.path.insert(0, str(CHECKOUT))

from blocks import (  # noqa: E402
    CaddySwitch,
    ContainerRegistry,
    DigitalOceanAccount,
    Droplet,
    Langfuse,
    Prometheus,
    StackEnvironment,
)

SSH_PORTS = {"green": 2201, "blue": 2202, "edge": 2203, "data": 2204}
LANGFUSE_ON_THE_LAB_NETWORK = "http://slipway-lab-langfuse:3000"
DATA_HOME_ON_THE_LAB_NETWORK = "http://slipway-lab-data"


def main() -> None:
    """Save every block of the lab."""
    lab = STATE / "lab"
    known = json.loads((lab / "credentials.json").read_text())
    keys = {"public_key": known["langfuse_public_key"], "secret_key": known["langfuse_secret_key"]}
    for machine in SSH_PORTS:
        droplet(lab, machine).save(machine, overwrite=True)
    CaddySwitch(url=f"http://127.0.0.1:{port('EDGE', 8080)}", host=Droplet.load("edge")).save("edge", overwrite=True)
    ContainerRegistry(
        registry_url=f"{os.environ.get('SLIPWAY_LAB_NETWORK') or '198.18.199'}.250:5000",
        username=known["registry_username"],
        password=known["registry_password"],
        namespace="agents",
        layout="repository-per-service",
        ca_certificate=(lab / "tls/ca.crt").read_text(),
    ).save("registry", overwrite=True)
    account = DigitalOceanAccount(
        token=known["digitalocean_token"], api=f"http://127.0.0.1:{port('DIGITALOCEAN', 8090)}"
    )
    account.save("digitalocean", overwrite=True)
    variables = {
        "BIND_ADDRESS": "0.0.0.0",  # noqa: S104  a droplet of the lab is reached over the lab's network alone
        "LANGFUSE_HOST": LANGFUSE_ON_THE_LAB_NETWORK,
        "LANGFUSE_PUBLIC_KEY": keys["public_key"],
        "LANGFUSE_SECRET_KEY": keys["secret_key"],
        "RAG_CONTEXT_URL": f"{DATA_HOME_ON_THE_LAB_NETWORK}:8007",
        "STATE_PERSISTENCE_URL": f"{DATA_HOME_ON_THE_LAB_NETWORK}:8008",
    }
    StackEnvironment(variables=variables, files={}).save("agents", overwrite=True)
    Langfuse(url=f"http://127.0.0.1:{port('LANGFUSE', 3000)}", **keys).save("langfuse", overwrite=True)
    Prometheus(url=f"http://127.0.0.1:{port('PROMETHEUS', 9090)}").save("prometheus", overwrite=True)


def droplet(lab: Path, machine: str) -> Droplet:
    """The block of one of the lab's droplets or of its edge, with the host key that was read from inside it."""
    return Droplet(
        host="127.0.0.1",
        port=port(f"{machine.upper()}_SSH", SSH_PORTS[machine]),
        user="root",
        private_key=(lab / "droplet_key").read_text(),
        host_key=(lab / f"{machine}.host_key").read_text().strip(),
    )


def port(name: str, default: int) -> int:
    """The host port of one part of the lab."""
    return int(os.environ.get(f"SLIPWAY_LAB_{name}_PORT") or default)


if __name__ == "__main__":
    main()
