"""Droplets in directories, reached by SSH servers in this process, and an API that knows their blocks."""

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from tests.support.builders import record, release
from tests.support.http_server import Asked, Says, serving
from tests.support.ssh_server import HOST_KEY, USER_KEY, Server, key_text, public

SECRET = "sentinel-of-a-secret"
RELEASE = release()
DOCKER = """\
#!/bin/sh
case "$1 $2 $*" in
*'{{.Label "com.docker.compose.service"}}'*) echo web; echo worker ;;
"ps --all "*) echo aa ;;
"inspect --format "*) echo i ;;
"inspect "*) cat "$0.inspected" ;;
esac
"""
INSPECTED = {
    "Id": "aa", "Name": "/shop-web-1", "Image": "sha256:1", "State": {"Status": "running"},
    "Config": {"Image": "web", "Labels": {"com.docker.compose.service": "web", "com.docker.compose.oneoff": "False"}},
}  # fmt: skip
COMPOSE = f"""\
#!/bin/sh
case $1 in
logs) echo "web-1  | my token is {SECRET}"; echo "asked: $*" ;;
exec) shift 4; exec "$@" ;;
esac
"""


class World:
    """Droplets in directories, reached by SSH, and an API that knows their blocks."""

    def __init__(self, place: Path, stack: ExitStack) -> None:
        self.place, self.stack, self.blocks, self.said = place, stack, {}, {}
        self.api = stack.enter_context(serving(self._answer))
        (place / "bin").mkdir()
        (place / "bin/docker").write_text(DOCKER)
        (place / "bin/docker").chmod(0o755)
        (place / "bin/docker.inspected").write_text(json.dumps([INSPECTED]))

    def _answer(self, asked: Asked) -> Says:
        if asked.path in self.said:
            return Says(200, self.said[asked.path])
        if asked.path == "/api/block_documents/filter":
            body = asked.json()
            (slug,), names = body["block_types"]["slug"]["any_"], body["block_documents"]["name"]["any_"]
            saved = [{"name": name, "data": self.blocks.get((slug, name))} for name in names]
            return Says(200, [one for one in saved if one["data"]])
        if not asked.path.startswith("/api/block_types/"):
            return Says(404, {"detail": "Not found"})
        slug, name = asked.path.split("/")[4], asked.path.split("/")[-1]
        data = self.blocks.get((slug, name))
        return Says(200, {"data": data}) if data else Says(404, {"detail": "Block document not found"})

    def droplet(self, name: str, tag: str = "v1") -> None:
        directory = self.place / name
        at = directory / "shop/releases" / f"{tag}.0"
        at.mkdir(parents=True)
        (directory / "shop/current").symlink_to(f"releases/{tag}.0")
        (at / "release.json").write_bytes(RELEASE.model_copy(update={"tag": tag}).document())
        (at / "environment").write_text(f"TOKEN={SECRET}\n")
        (at / "compose").write_text(COMPOSE)
        (at / "compose").chmod(0o755)
        history = directory / "shop/history"
        history.mkdir()
        (history / "000003.json").write_bytes(record(3, tag).model_copy(update={"name": f"{tag}.0"}).document())
        self.save(name, self.stack.enter_context(Server(self._run)).address().port, str(directory))

    def save(self, name: str, port: int, directory: str) -> None:
        self.blocks["slipway-droplet", name] = {
            "host": "127.0.0.1", "port": port, "user": "root", "host_key": public(HOST_KEY),
            "private_key": key_text(USER_KEY), "directory": directory,
        }  # fmt: skip

    def switch(self, active: str) -> None:
        directory = self.place / "switch"
        directory.mkdir()
        (directory / active).write_text('{"by": "me"}')
        host = self.blocks["slipway-droplet", "green"]
        data = {"host": host, "directory": str(directory), "way": "state-file", "url": "http://shop.example.com"}
        self.blocks["slipway-caddy-switch", "edge"] = data

    def _run(self, command: str, first: bytes, channel) -> int:
        given = b"" if "logs" in command else first + b"".join(iter(lambda: channel.recv(65536), b""))
        done = subprocess.run(
            ["sh", "-c", command], input=given, capture_output=True, check=False,
            env={"PATH": f"{self.place}/bin:/usr/bin:/bin"},
        )  # fmt: skip
        channel.sendall(done.stdout)
        channel.sendall_stderr(done.stderr)
        return done.returncode

    def ask(self, work, *given, **more):
        with PrefectApi(ApiConnection(f"{self.api.url}/api"), pause=lambda _seconds: None) as api:
            return work(api, "shop", *given, **more)


@pytest.fixture
def world(tmp_path):
    with ExitStack() as stack:
        yield World(tmp_path, stack)
