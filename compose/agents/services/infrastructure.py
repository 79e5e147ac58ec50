"""infrastructure: what a service needs to run on a platform, as a file that the platform's own tool loads."""

import json
from collections.abc import Callable
from typing import Any

from agents.common.app import Agent
from agents.common.fields import Fields

NAME = r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?"

agent = Agent("infrastructure")


@agent.workflow("POST", "/generate-iac")
def generate(fields: Fields) -> dict[str, Any]:
    """The file for ``service`` on ``platform``, with its usual name."""
    service = fields.text("service", like=NAME)
    filename, make = PLATFORMS[(platform := fields.choice("platform", PLATFORMS, "docker-compose"))]
    port = fields.whole("port", 8080, 1, 65535)
    return {"iac": make(service, port), "platform": platform, "file": filename}


def compose(service: str, port: int) -> str:
    """A Compose file with a healthcheck and a restart policy."""
    return _yaml(
        {
            "services": {
                service: {
                    "image": f"${{REGISTRY:?}}/{service}:${{IMAGE_TAG:?}}",
                    "restart": "unless-stopped",
                    "init": True,
                    "ports": [f"127.0.0.1:{port}:{port}"],
                    "read_only": True,
                    "cap_drop": ["ALL"],
                }
            }
        }
    )


def kubernetes(service: str, port: int) -> str:
    """A Deployment and the Service in front of it."""
    labels = {"app.kubernetes.io/name": service}
    probe = {"httpGet": {"path": "/health", "port": port}, "periodSeconds": 10}
    container = {
        "name": service,
        "image": f"registry.example.com/{service}:latest",
        "ports": [{"containerPort": port}],
        "readinessProbe": probe,
        "livenessProbe": probe,
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False},
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": service, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }
    front = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": service, "labels": labels},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": port}]},
    }
    return _yaml(deployment, front)


def terraform(service: str, port: int) -> str:
    """Terraform's JSON syntax: a droplet, and a firewall that opens only the service's port."""
    droplet = {"name": service, "image": "debian-13-x64", "region": "fra1", "size": "s-1vcpu-1gb", "monitoring": True}
    rule = {"protocol": "tcp", "port_range": str(port), "source_addresses": ["0.0.0.0/0", "::/0"]}
    firewall = {
        "name": f"{service}-only-{port}",
        "droplet_ids": [f"${{digitalocean_droplet.{service}.id}}"],
        "inbound_rule": [rule],
    }
    return json.dumps(
        {
            "terraform": {"required_providers": {"digitalocean": {"source": "digitalocean/digitalocean"}}},
            "resource": {"digitalocean_droplet": {service: droplet}, "digitalocean_firewall": {service: firewall}},
        },
        indent=2,
    )


def _yaml(*documents: dict[str, Any]) -> str:
    import yaml  # noqa: PLC0415 - not needed to start

    return yaml.dump_all(documents, sort_keys=False, Dumper=_plain(yaml))


def _plain(yaml: Any) -> Any:
    """A dumper without anchors: readers of a manifest do not expect ``&id001``."""
    return type("Plain", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})


PLATFORMS: dict[str, tuple[str, Callable[[str, int], str]]] = {
    "docker-compose": ("docker-compose.yml", compose),
    "kubernetes": ("manifest.yaml", kubernetes),
    "terraform": ("main.tf.json", terraform),
}
app = agent.app()
