"""Parsers of what a commit or a registry holds: compose files, env files, releases; each with a good one."""

import json
import zlib
from io import BytesIO
from typing import Any

import yaml

from flows.core.answers import MALFORMED, unpacked
from flows.core.control.beginning.images import known_image
from flows.core.control.beginning.proposal import propose
from flows.core.control.beginning.services import written_services
from flows.core.control.beginning.text import service_spots, with_proposals
from flows.core.control.moving.contents import read_contents
from flows.core.control.settings_file import read_settings_file
from flows.core.droplet.places import split_place
from flows.core.explanation.includes import include_env_files
from flows.core.explanation.interpolation import uses_in, variable_uses
from flows.core.registry.references import engine_name, is_digest, is_pinned, is_tag, slug, split_host, split_reference
from flows.core.release.archive import read_archive
from flows.core.release.bundle import File, pack, unpack
from flows.core.release.release import read_release
from flows.core.release.tree import Entry, dump_tree, read_stale, read_tree
from flows.core.secrets.credentials import KeyScanner, credential_by_content, credential_by_name
from flows.core.stack.builds.dockerfile import familiar, image_references
from flows.core.stack.compose_files import (
    collect_files,
    documents_of,
    included_env_files,
    locate,
    referred_files,
    root_nodes,
    scalars,
)
from flows.core.stack.compose_versions import compose_needs
from flows.core.stack.compose_yaml import load_config, load_service
from flows.core.stack.env_files import parse
from flows.core.stack.extension import read_extension
from flows.core.stack.files.ignore import ignore_rules
from flows.core.stack.refused.command_line import reloading_words, simple_commands
from flows.core.stack.variables import Placeholders, expressions_in
from flows.core.stack.yaml_limits import compose_documents, refuse_too_large
from tests.support.builders import pinned, release
from tests.support.hostile.attacked import Attacked
from tests.support.hostile.of_droplets import CONFIG

COMPOSE: dict[str, Any] = {
    "include": [{"path": "a.yml", "env_file": "a.env"}, "b.yml"],
    "services": {"web": {"image": "${A:-b}", "extends": {"file": "c.yml", "service": "d"}, "build": ".",
                         "env_file": ["x.env"], "healthcheck": {"start_interval": "1s"}}},
}  # fmt: skip
DOCKERFILE = (
    "# escape=\\\nARG BASE=a\nFROM --platform=x ${BASE} AS b\n"
    "RUN --mount=type=bind,from=c cat <<E\nx\nE\nCOPY --from=b /x /\n"
)
SETTINGS = '[gates]\nwindow = 1\n[destinations.a]\ndroplet = "b"\n[destinations.a.trust.verification_of]\nc = "warn"\n'
TREE = json.loads(dump_tree({"files/a": Entry("file", 0o644, 1, "a" * 64, layer=0)}, {0: {"files/a": 1}}))
BUNDLE = pack({"release.json": File(b"{}"), "files/a": File(b"a", 0o755)})
YAML = (yaml.YAMLError,)


def _at(text: str) -> dict[str, str]:
    return {"/s/compose.yml": text}


def _latin(content: bytes) -> str:
    return content.decode("latin-1")


def _archive(data: bytes) -> None:
    for _, content in read_archive(BytesIO(data)):
        for _ in content():
            pass


def _scan(data: bytes) -> None:
    scanner = KeyScanner()
    for start in range(0, len(data), 1000):
        scanner.feed(data[start : start + 1000])


def _ignored(text: str) -> None:
    ignore_rules("/s", text.splitlines()).left_out("/s/a/b", directory=False)


def _swapped(text: str) -> None:
    placeholders = Placeholders({"${A}": "b"})
    placeholders.back([placeholders.put(text)])


OF_FILES = (
    Attacked(read_settings_file, SETTINGS, read=lambda text: read_settings_file(text, "slipway.toml")),
    Attacked(read_release, json.loads(release().document()), encoding="utf-8"),
    Attacked(read_tree, TREE, encoding="utf-8"),
    Attacked(read_stale, TREE, encoding="utf-8"),
    Attacked(unpack, _latin(BUNDLE), encoding="latin-1"),
    Attacked(unpack, _latin(zlib.decompress(BUNDLE, 31)), encoding="latin-1",
             read=lambda data: unpack(zlib.compress(data, 1, 31))),
    Attacked(read_archive, _latin(BUNDLE), encoding="latin-1", read=_archive),
    Attacked(unpacked, _latin(BUNDLE), encoding="latin-1", refuses=MALFORMED),
    Attacked(load_config, CONFIG),
    Attacked(load_service, CONFIG, read=lambda text: load_service(text, "web")),
    Attacked(service_spots, COMPOSE, refuses=YAML),
    Attacked(
        with_proposals,
        COMPOSE,
        read=lambda text: with_proposals(text, propose(written_services(("/c",), {"/c": text}).specs)),
    ),
    Attacked(known_image, "host:5000/a/grafana:11@sha256:0"),
    Attacked(documents_of, COMPOSE, read=lambda text: documents_of("compose.yml", text)),
    Attacked(collect_files, COMPOSE, read=lambda text: collect_files(["/s/compose.yml"], lambda _: text)),
    Attacked(referred_files, COMPOSE, read=lambda text: [referred_files(one) for one in documents_of("c", text)]),
    Attacked(included_env_files, COMPOSE, read=lambda text: included_env_files(_at(text))),
    Attacked(include_env_files, COMPOSE, read=lambda text: include_env_files(_at(text), lambda path: path)),
    Attacked(compose_needs, COMPOSE, read=lambda text: compose_needs(_at(text))),
    Attacked(locate, COMPOSE, read=lambda text: locate(_at(text), "web", ["image"], "b"), refuses=YAML),
    Attacked(root_nodes, COMPOSE, refuses=YAML),
    Attacked(scalars, COMPOSE, refuses=YAML),
    Attacked(compose_documents, COMPOSE, refuses=YAML),
    Attacked(refuse_too_large, COMPOSE, read=lambda text: refuse_too_large(text, yaml.SafeLoader), refuses=YAML),
    Attacked(read_extension, {"port": 80, "mcp": {"path": "/m", "tools": ["a"]},
                              "workflow": {"post": "/r", "expect": "a"},
                              "mounts": {"a": "keep"}, "allow": ["source"]},
             shape=None, read=lambda value: read_extension("web", value)),
    Attacked(parse, "A=b\nexport C='d\\'e'\nF=\"g\\n\" # h\n"),
    Attacked(image_references, DOCKERFILE, read=lambda text: image_references(text, {"A": text[:99]})),
    Attacked(familiar, "docker.io/library/base:latest"),
    Attacked(variable_uses, "${A:-b} $C ${D:?${E}}"),
    Attacked(read_contents, {"slipway_control_plane": 1, "kinds": {"flows": [{"id": "a", "name": "release"}]}},
             shape=None),
    Attacked(uses_in, ["${A:-b}", {"$C": 1}], shape=None, read=lambda value: list(uses_in(value))),
    Attacked(expressions_in, "${A:-${B}} $${C} ${D"),
    Attacked(Placeholders.put, "${A} ${B:-${C}}", read=_swapped),
    Attacked(ignore_rules, "*.log\n!keep.log\n/a/**/b\n[a-z]?\\ \n", read=_ignored),
    Attacked(simple_commands, "sh -c 'a; b && uvicorn --reload'", read=lambda text: list(simple_commands([text, "x"]))),
    Attacked(reloading_words, "uvicorn --reload", read=lambda text: reloading_words(text.split(" "))),
    Attacked(split_reference, pinned("web")),
    Attacked(split_place, "prod/green"),
    Attacked(split_host, "registry.example.com:5000/team/web"),
    Attacked(engine_name, pinned("web")),
    Attacked(slug, "Team/Web_1"),
    Attacked(is_tag, "v1.0"),
    Attacked(is_digest, "sha256:" + "a" * 64),
    Attacked(is_pinned, pinned("web")),
    Attacked(credential_by_name, ".env.production"),
    Attacked(credential_by_content, "API_TOKEN=0123456789abcdef\n", encoding="utf-8",
             read=lambda data: [credential_by_content(name, data) for name in (".env", "config", "a.json", ".npmrc")]),
    Attacked(KeyScanner.feed, "-----BEGIN OPENSSH PRIVATE KEY-----\n", encoding="utf-8", read=_scan),
)  # fmt: skip
