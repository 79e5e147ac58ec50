"""The plan's reading of a stack has the hashes that Compose itself gives it where it is put."""

import subprocess

import pytest

from flows.core.deploy.plan.readings import coming, hashed_config, standing_sections
from flows.core.droplet.directories import StackDirectory
from flows.core.release.bundle import File
from flows.settings import Settings
from flows.tasks.deploy.reading import read_here
from tests.support.builders import pinned, release
from tests.support.stack.compose_client import needs_compose, write_files

pytestmark = pytest.mark.unit

COMPOSE = """
x-all: &all {logging: {driver: json-file}}
configs: {c: {content: "hello ${WHO}"}}
secrets: {s: {file: ./secret.txt}}
networks: {front: {}}
volumes: {data: {}}
services:
  web:
    <<: *all
    build: .
    image: %(web)s
    command: ["sh", "-c", "sleep $$((3000))"]
    environment: {A: "${WHO}", DOLLAR: "a$$b", FROM_ENV: "x $$ y"}
    volumes: ["./conf:/conf:ro", "data:/data", "/etc/hostname:/hn:ro"]
    configs: [c]
    secrets: [s]
    networks: [front]
    ports: ["127.0.0.1:18991:80"]
    healthcheck: {test: "true", interval: 30s}
    deploy: {resources: {limits: {memory: 64M}}}
    depends_on: {two: {condition: service_started}}
    ulimits: {nofile: 1000}
    extra_hosts: ["foo:127.0.0.1"]
  two: {image: %(web)s, profiles: [p], labels: {who: "${WHO}"}}
"""
WHAT = release(services=dict.fromkeys(("web", "two"), pinned("web")), profiles=("p",))


@needs_compose
def test_the_hash_of_what_was_read_here_is_that_of_the_files_where_they_will_stand(tmp_path):
    text = COMPOSE % {"web": pinned("web")}
    directory, settings = StackDirectory(str(tmp_path), "shop"), Settings()
    files = {"files/compose.yml": text, "files/secret.txt": "s", "files/conf/a": "1", "override.yml": "services: {}",
             "secrets.yml": "services: {}", "environment": "WHO='me'\n"}  # fmt: skip
    current = write_files(tmp_path / "shop" / "current", files)
    content = {name: File(said.encode()) for name, said in files.items()}
    here = read_here(WHAT, content, {"WHO": "me"}, settings)
    found, services = coming(WHAT, here.config, here.version, here.unknown, {"WHO": "me"}, {}, {})
    del services["web"]["labels"]  # a deploy writes it into the droplet's own override
    script = standing_sections(directory, WHAT, hashed=True)["hashes"]
    said = subprocess.run(["sh", "-c", script], input=hashed_config(WHAT, here.config, services, directory),
                          capture_output=True, check=True, timeout=60)  # fmt: skip
    there = directory.compose(WHAT, str(current))("config", "--hash", "*")
    wanted = subprocess.run(there, capture_output=True, check=True, timeout=60, text=True).stdout
    assert said.stdout.decode().splitlines() == wanted.splitlines()
    assert {line.split()[0] for line in wanted.splitlines()} == {"web", "two"}
    assert found.mounts["web"] == ("files/conf",)
