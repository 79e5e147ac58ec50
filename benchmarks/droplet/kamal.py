"""Kamal with its proxy: the gateway is its application, the other eight services are accessories, left by a deploy."""

import json
import shutil
import tempfile
from pathlib import Path

from benchmarks.command import run
from benchmarks.droplet.machine import on_it, port
from benchmarks.droplet.plain import PROJECT, STATELESS, Plain, find_plain, rounds_of
from benchmarks.droplet.releases import Releases
from benchmarks.lab import STATE
from benchmarks.switches.ground import credentials

_NAME = "kamal-gateway"
_VERSION = "v0.9.2"  # the least that Kamal 2.12 takes
_STORES = ("rag-context", "state-persistence")
_ACCESSORIES = (*STATELESS[1:], *_STORES)
_OPTIONS = {"init": True, "read-only": True, "tmpfs": "/tmp", "cap-drop": "ALL"}  # noqa: S108  in the container


def by_kamal(rounds: int) -> Releases | None:
    """`kamal deploy` of another gateway; its proxy turns when the new one is healthy, and lets the old one finish.

    Returns:
        None when `kamal` or `kamal-proxy` is not on PATH.
    """
    proxy = shutil.which("kamal-proxy")
    if proxy is None or shutil.which("kamal") is None:
        return None
    plain = find_plain()
    with tempfile.TemporaryDirectory(prefix="slipway-") as name:
        place = Path(name)
        _push_images(place, plain, Path(proxy))
        _write(place, plain)

        def kamal(*words: str) -> None:
            run(["kamal", *words], cwd=place, timeout=300)

        try:
            kamal("setup", "--skip-push", "--version", plain.tag)
            return rounds_of(
                "Kamal with its proxy", rounds, lambda tag: kamal("deploy", "--skip-push", "--version", tag), plain
            )
        finally:
            kamal("remove", "--confirmed", "--version", plain.tag)
            on_it("sh", "-c", f"docker volume rm $(docker volume ls -q --filter name={PROJECT}-) || true")
            for each in _ACCESSORIES:  # Kamal has removed the images of what it ran, and the adopted project needs them
                on_it("docker", "tag", f"{plain.registry}/{each}:other", f"{plain.registry}/{each}:{plain.tag}")


def _push_images(place: Path, plain: Plain, proxy: Path) -> None:
    """Two releases of the gateway that say whose they are, as Kamal wants, and the proxy: all to the lab's registry."""
    known, registry = credentials(), plain.registry.partition("/")[0]
    docker, context = ["docker", "--config", str(place / "login")], place / "context"
    context.mkdir()
    shutil.copy(proxy, context / "kamal-proxy")
    login = ["login", "--username", known["registry_username"], "--password-stdin", registry]
    run([*docker, *login], stdin=known["registry_password"].encode())
    gateway = f"FROM {plain.registry}/gateway-mcp:{plain.tag}\nLABEL service={PROJECT} release="
    base = "\n".join([
        f"FROM {plain.registry}/caddy:lab", "ENTRYPOINT []", "HEALTHCHECK NONE", "USER root",
        "COPY kamal-proxy /usr/local/bin/kamal-proxy",
        "RUN mkdir -p /home/kamal-proxy/.config/kamal-proxy", "ENV HOME=/home/kamal-proxy",
        'LABEL org.opencontainers.image.title=kamal-proxy', 'CMD ["kamal-proxy", "run"]',
    ])  # fmt: skip
    wanted = {
        f"{_NAME}:{plain.tag}": f"{gateway}{plain.tag}", f"{_NAME}:other": f"{gateway}other",
        f"kamal-proxy:{_VERSION}": base,
    }  # fmt: skip
    for name, text in wanted.items():
        image = f"{plain.registry}/{name}"
        run(["docker", "build", "-q", "-t", image, "-f", "-", str(context)], stdin=text.encode())
        run([*docker, "push", "-q", image])


def _write(place: Path, plain: Plain) -> None:
    """What Kamal reads: config/deploy.yml (JSON is YAML), and the registry's password."""
    (place / "config").mkdir()
    (place / "config" / "deploy.yml").write_text(
        json.dumps(deploy_file(plain, credentials()["registry_username"], port(22)))
    )
    secrets = place / ".kamal" / "secrets"
    secrets.parent.mkdir()
    secrets.touch(mode=0o600)
    secrets.write_text(f"KAMAL_REGISTRY_PASSWORD={credentials()['registry_password']}\n")
    key = place / "key"
    key.touch(mode=0o600)
    key.write_bytes((STATE / "lab" / "droplet_key").read_bytes())


def deploy_file(plain: Plain, user: str, ssh_port: int) -> dict[str, object]:
    """The configuration: what a stack of the sample's kind says in Kamal's words, drained as long as by Slipway."""
    registry, _, prefix = plain.registry.partition("/")
    accessories = {
        name: {
            "service": f"{PROJECT}-{name}",
            "image": f"{plain.registry}/{name}:{plain.tag}",
            "host": "127.0.0.1",
            "options": {**_OPTIONS, "network-alias": name},
            "volumes": [f"{PROJECT}-{name}:/data"] if name in _STORES else [],
        }
        for name in _ACCESSORIES
    }
    return {
        "service": PROJECT,
        "image": f"{prefix}/{_NAME}",
        "registry": {"server": registry, "username": user, "password": ["KAMAL_REGISTRY_PASSWORD"]},
        "servers": {"web": {"hosts": ["127.0.0.1"], "options": _OPTIONS}},
        "ssh": {"user": "root", "port": ssh_port, "keys": ["key"], "keys_only": True},
        "builder": {"arch": "amd64"},
        "proxy": {
            "app_port": 8000,
            "healthcheck": {"path": "/health", "interval": 1},
            "buffering": {"requests": False, "responses": False},
            "run": {
                "http_port": 8000,
                "https_port": 8443,
                "registry": registry,
                "repository": f"{prefix}/kamal-proxy",
                "version": _VERSION,
            },
        },
        "drain_timeout": 10,
        "accessories": accessories,
    }
