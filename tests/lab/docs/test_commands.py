"""Every command of the pages on two colours, incidents and the laptop is run, in their order, in the lab.

A stack, an edge and a Prefect server of their own; on the lab's droplets a directory of their own. What stands on the
pages once (addresses, names) is replaced by where it is here; nothing else of a command is changed.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests import CHECKOUT
from tests.faults.harness.doubles.disposable_edge import DisposableEdge, open_disposable_edge
from tests.faults.harness.second_prefect import started
from tests.stacks.three_services import SOURCE
from tests.support.lab.doc_commands import API_PORT, Fence, Reader, fences
from tests.support.lab.droplet_view import DropletView
from tests.support.lab.git_checkout import checkout
from tests.support.lab.lab import LABELS, STATE, Lab, docker
from tests.support.lab.registry_namespace import RegistryNamespace, remove_build_images

pytestmark = pytest.mark.lab
PAGES = ("BLUE_GREEN_DEPLOYMENT.md", "INCIDENTS.md", "HYBRID_ARCHITECTURE.md")
STACK, DIRECTORY, NAMESPACE = "my-stack", "/opt/slipway-docs", "test-docs"
STORE_PORT = 18091
HOSTS = {"green": "203.0.113.7", "blue": "203.0.113.8", "data": "203.0.113.9", "edge": "203.0.113.10"}
# What is not run, by its first words, and why not.
NOT_RUN = {
    "ssh root@203.0.113.10 systemctl reload caddy": "the lab's edge has no systemd; the test restarts it instead",
    "slipway trigger release": "needs a worker; tests/lab/release/test_ci.py triggers a deployment",
}
COMPOSE = f"""
name: {STACK}
x-part: &part
  image: ${{REGISTRY:?}}/{STACK}:${{IMAGE_TAG:?}}
  init: true
  stop_grace_period: 2s
  restart: unless-stopped
  healthcheck: {{test: [CMD, /srv/part, ask], interval: 2s, retries: 2, start_period: 3s, start_interval: 200ms}}
services:
  store:
    <<: *part
    build: .
    command: [/srv/part, store]
    volumes: ["rows:/data"]
    ports: ["${{BIND_ADDRESS:-127.0.0.1}}:{STORE_PORT}:8000"]
    x-slipway: {{health: /health, data: home}}
  api:
    <<: *part
    command: [/srv/part, web]
    depends_on: {{store: {{condition: service_healthy}}}}
    environment: {{STORE_URL: "${{STORE_URL:-http://store:8000}}"}}
    ports: ["${{BIND_ADDRESS:-127.0.0.1}}:{API_PORT}:8000"]
    x-slipway: {{health: /health, workflow: {{get: /hello, expect: version, traced: false}}}}
volumes: {{rows: }}
"""


def write_home(home: Path, lab: Lab, ports: dict[str, int]) -> None:
    """A home directory as somebody has it who runs one droplet: a key, a stack, its `.env`."""
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text(lab.private_key.read_text())
    (home / ".ssh" / "id_ed25519").chmod(0o600)
    # ssh goes by the passwd file, not by HOME, so it is shown its configuration; slipway pins host keys on its own.
    hosts = [
        f"Host {address}\n  HostName 127.0.0.1\n  Port {ports[name]}\n  IdentityFile {home}/.ssh/id_ed25519\n"
        "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
        for name, address in HOSTS.items()
    ]
    (home / ".ssh" / "config").write_text("".join(hosts))
    (home / "bin").mkdir()
    (home / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {home}/.ssh/config "$@"\n')
    (home / "bin" / "ssh").chmod(0o755)
    stack = checkout(SOURCE, home / STACK)
    own = f"STORE_URL=http://slipway-lab-data:{STORE_PORT}\nBIND_ADDRESS=0.0.0.0\n"
    files = {
        "compose.yaml": COMPOSE, "version": "docs", "behaviour": "well", "ballast": "", ".env": own,
        ".env.example": f"REGISTRY={NAMESPACE}\nIMAGE_TAG=development\n",
        "compose.override.yaml": "services: {api: {environment: {DEBUG: '1'}}}\n",
    }  # fmt: skip
    for name, content in files.items():
        (stack / name).write_text(content)


@pytest.fixture(scope="module")
def reader(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """One who has one droplet, green, with the first release on it, and a row in its store."""
    from blocks import ContainerRegistry  # noqa: PLC0415 — after the environment is set

    home = tmp_path_factory.mktemp("reader")
    (home / "prefect").mkdir()
    registry = RegistryNamespace(ContainerRegistry.load("registry"), NAMESPACE)
    with ExitStack() as closing:
        prefect = closing.enter_context(started(home / "prefect"))
        tidy(registry)  # what a killed run left
        closing.callback(tidy, registry)
        edge = closing.enter_context(open_disposable_edge("docs", API_PORT))
        edge.inside("rm -f /var/lib/slipway-edge/green /var/lib/slipway-edge/blue")
        ports = {**{name: lab.ssh_port(name) for name in ("green", "blue", "data")}, "edge": edge.ssh_port}
        write_home(home, lab, ports)
        path = f"{home}/bin:{CHECKOUT}/.venv/bin:{STATE}/bin:{os.environ['PATH']}"
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("SLIPWAY_")}, **prefect.environment,
            "HOME": str(home), "PYTHONPATH": str(CHECKOUT), "USER": "reader", "PATH": path,
            "SLIPWAY_REPORTS": str(home / "reports"),
            "SLIPWAY_GATE_WINDOW": "2", "SLIPWAY_WATCH": "1", "SLIPWAY_WATCH_INTERVAL": "0.5",
            "SLIPWAY_READINESS_DELAY": "1", "SLIPWAY_SWITCH_TIMEOUT": "5",
        }  # fmt: skip
        here = {f"--host {a}": f"--host 127.0.0.1 --port {ports[n]} --directory {DIRECTORY}" for n, a in HOSTS.items()}
        # The longest first: .10 begins as .1 does.
        here = dict(sorted(here.items(), key=lambda pair: -len(pair[0])))
        here |= {
            "https://agents.example.com": edge.url, "/opt/slipway/": f"{DIRECTORY}/",
            "http://10.0.0.9:9090": lab.prometheus,
        }  # fmt: skip
        reader = Reader(home, edge, prefect, here, environment)
        closing.callback(reader.leave)
        prefect.ready()
        prefect.save({"registry": registry.named()})
        for words in (
            "prefect block register -m blocks",
            f"slipway droplet add green --host {HOSTS['green']} --key-file ~/.ssh/id_ed25519",
            f"slipway environment set --stack {STACK}",
            f"slipway release --stack {STACK} --droplet green --tag v1.3.0",
        ):
            reader.type(Fence("README.md", 1, "sh", words))
        DropletView("green", STACK, DIRECTORY).inside("store", "/srv/part", "ask", "POST", "/rows", "a-row")
        yield reader


def tidy(registry: RegistryNamespace) -> None:
    """Take everything of this stack away, from the droplets, the build host and the registry."""
    for droplet in [
        DropletView("data", f"{STACK}-home", DIRECTORY),
        *(DropletView(n, STACK, DIRECTORY) for n in HOSTS),
    ]:
        if droplet.droplet != "edge":
            droplet.remove(NAMESPACE)
            droplet.sh(f"docker volume rm -f {STACK}_rows >/dev/null; rm -rf {DIRECTORY}")
    of_the_laptop = f"docker ps -aq --filter label=com.docker.compose.project={STACK} | xargs -r docker rm -fv"
    script = f"{of_the_laptop}; docker volume rm -f {STACK}_rows; docker network rm -f {STACK}_default"
    subprocess.run(["bash", "-c", script], capture_output=True, timeout=60, check=False)
    remove_build_images(f"{NAMESPACE}/")
    registry.empty()


def test_every_command_of_the_pages_does_what_they_say(reader: Reader):
    for page in PAGES:
        reader.follow(page)
    assert reader.edge.files() == [reader.edge.through()[1]]
    home = DropletView("data", f"{STACK}-home", DIRECTORY)
    assert home.inside("store", "/srv/part", "ask", "GET", "/rows").split() == ["a-row"]
    assert set(DropletView("green", STACK, DIRECTORY).containers()) == {"api"}


@pytest.mark.parametrize("words", ["slipway promot", "slipway plan --colour blue", "slipway gates   # exit 1"])
def test_a_misspelled_command_would_be_noticed(reader: Reader, words: str):
    with pytest.raises(AssertionError, match=re.escape(f"page:1: `{words.partition('   #')[0]}`")):
        reader.type(Fence("page", 1, "sh", words))


def test_the_admin_api_as_the_page_has_it_switches_too(reader: Reader, lab: Lab, tmp_path: Path):
    blocks = {fence.language: fence.text for fence in fences(PAGES[0])}
    config = json.loads(blocks["json"].replace("agents.example.com", "127.0.0.1").replace(":8000", f":{API_PORT}"))
    server = config["apps"]["http"]["servers"]["edge"]
    server.update({"listen": [":8080"], "automatic_https": {"disable": True}})
    (tmp_path / "admin.json").write_text(json.dumps(config))
    tmp_path.chmod(0o755)
    name, labels = f"{lab.name}-edge-docs-admin", [word for label in LABELS for word in ("--label", label)]
    addresses = {colour: lab.inside(colour, "hostname", "-i").split()[0] for colour in ("green", "blue")}
    hosts = [word for colour, address in addresses.items() for word in ("--add-host", f"{colour}:{address}")]
    docker("rm", "-f", name, check=False)
    docker(
        "run", "-d", "--init", "--name", name, *labels, "--network", lab.name, *hosts,
        "-p", "127.0.0.1::22", "-p", "127.0.0.1::8080",
        "-v", f"{STATE}/lab/droplet_key.pub:/etc/slipway/authorized_keys:ro",
        "-v", f"{tmp_path}/admin.json:/etc/caddy/doc.json:ro", f"{lab.name}-edge", "entrypoint", "/etc/caddy/doc.json",
    )  # fmt: skip
    try:
        ssh, http = (int(docker("port", name, p).split(":")[-1]) for p in ("22/tcp", "8080/tcp"))
        DisposableEdge(name, ssh, http).ready()
        reader.here[f"--host {HOSTS['edge']}"] = f"--host 127.0.0.1 --port {ssh}"
        reader.here["https://agents.example.com"] = f"http://127.0.0.1:{http}"
        saving = reader.localized(blocks["python"]).replace(":8000", f":{API_PORT}")
        (tmp_path / "save.py").write_text(saving)
        before = httpx.get(f"http://127.0.0.1:{http}/health").headers["x-slipway-colour"]
        script = (
            f"slipway droplet add edge --host {HOSTS['edge']} --key-file ~/.ssh/id_ed25519\n"
            f"python {tmp_path}/save.py\n"
            "slipway promote --tag v1.6.0 --approval never"
        )
        reader.type(Fence("admin", 1, "sh", script))
        after = httpx.get(f"http://127.0.0.1:{http}/health").headers["x-slipway-colour"]
    finally:
        docker("rm", "-f", name, check=False)
    assert (before, after) == ("green", "blue")


def test_what_is_not_run_has_a_reason():
    skipped = [fence.text for page in PAGES for fence in fences(page) if fence.language == "text"]
    assert [text for text in skipped if not text.startswith(tuple(NOT_RUN))] == []
    assert len(skipped) == len(NOT_RUN)
    known = {"sh", "text", "toml", "yaml", "json", "python", "promql", "caddyfile", ""}
    assert {fence.language for page in PAGES for fence in fences(page)} <= known
