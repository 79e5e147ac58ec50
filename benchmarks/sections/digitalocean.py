"""DigitalOcean: the client beside plain httpx, long lists, and a retention over ten thousand tags."""

import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.bench import Bench
from benchmarks.measure import Section, alternate, median, ratio, seconds, timed, times, within
from blocks.digitalocean.transport import AT_ONCE, Transport
from flows.core.registry.cleanup import NeededRelease, RegistryManifest, plan_collection, plan_retention

TAGS, DROPLETS, RETAINED, EXTRA = 2000, 500, 10_000, 0.05
_PLAIN = "import httpx; httpx.Client(trust_env=False).get('{url}/v2/account').json()"
_OURS = (
    "from blocks.digitalocean.client import DigitalOcean\n"
    "with DigitalOcean('token', '{url}') as client: client.api.get('/v2/account', 'account:read')"
)


class _Pages(BaseHTTPRequestHandler):
    """An account whose lists are long; it counts how many pages are asked for at a time."""

    protocol_version = "HTTP/1.1"
    now = most = 0
    lock = threading.Lock()

    def log_message(self, *_words: Any) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self.lock:
            _Pages.now += 1
            _Pages.most = max(_Pages.most, _Pages.now)
        time.sleep(0.05)  # what the way to the real one takes at least
        count = TAGS if parts.path.endswith("/tags") else DROPLETS
        page, size = int(query.get("page", 1)), int(query.get("per_page", 20))
        items = [{"id": number} for number in range(count)[(page - 1) * size : page * size]]
        key = parts.path.rpartition("/")[2]
        content = dumps({key: items, "account": {}, "links": {}, "meta": {"total": count}}).encode()
        with self.lock:
            _Pages.now -= 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def measure(bench: Bench) -> list[Section]:
    """Two tables: the client, and planning."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            return [_client(bench, url), _lists(bench, url), _planning(bench)]
        finally:
            server.shutdown()


def _client(bench: Bench, url: str) -> Section:
    found = alternate(
        bench.rounds,
        {"ours": lambda: _python(_OURS.format(url=url)), "httpx": lambda: _python(_PLAIN.format(url=url))},
        bench.tell,
    )
    columns = ("", "ours", "plain httpx", "more", "target", "")
    section = Section("DigitalOcean: import and first call, a process each", columns)
    more = median(found["ours"]) - median(found["httpx"])
    section.add(
        "first call", seconds(found["ours"]), seconds(found["httpx"]), f"{more * 1000:.0f} ms",
        f"≤ {EXTRA * 1000:.0f} ms", "met" if more <= EXTRA else "not met", strong=True,
    )  # fmt: skip
    return section


def _lists(bench: Bench, url: str) -> Section:
    columns = ("", "ours", "one page after the other", "ratio", "pages at a time")
    section = Section("DigitalOcean: long lists, 50 ms each call", columns)
    _list(section, bench, f"{TAGS:,} tags", url, "/v2/registries/r/repositories/x/tags")
    _list(section, bench, f"{DROPLETS} droplets", url, "/v2/droplets")
    return section


def _list(section: Section, bench: Bench, name: str, url: str, path: str) -> None:
    _Pages.most = 0
    api, key = Transport(url, "token"), path.rpartition("/")[2]
    sides = {
        "ours": lambda: timed(lambda: api.pages(path, key, "any")),
        "one by one": lambda: timed(lambda: _one_by_one(api, path, key)),
    }
    found = alternate(bench.rounds, sides, bench.tell)
    api.close()
    ours, plain = found.values()
    at_once = f"{_Pages.most} (at most {AT_ONCE})"
    section.add(name, seconds(ours), seconds(plain), times(ratio(ours, plain)), at_once, strong=True)


def _planning(bench: Bench) -> Section:
    stored = [
        RegistryManifest("web", f"sha256:{number:064x}", (f"v{number}", f"sha256-{number:064x}.sig")[: 1 + number % 2])
        for number in range(RETAINED)
    ]
    kept = [NeededRelease("shop", f"v{n}", "kept", frozenset({("web", f"sha256:{n:064x}")})) for n in range(20)]
    old = {"shop": frozenset(f"v{number}" for number in range(20, RETAINED))}
    section = Section(f"DigitalOcean: planning over {RETAINED:,} manifests", ("", "seconds", "target", ""))
    retention = [timed(lambda: plan_retention(stored, kept, old)) for _ in range(bench.rounds)]
    collection = [timed(lambda: plan_collection(stored, kept)) for _ in range(bench.rounds)]
    section.add("retention", seconds(retention), *within(retention, 1.0), strong=True)
    section.add("collection", seconds(collection), *within(collection, 1.0), strong=True)
    return section


def _one_by_one(api: Transport, path: str, key: str) -> list[Any]:
    found: list[Any] = []
    page = 1
    while True:
        answer = api.get(path, "any", page=page, per_page=200)
        found += answer[key]
        if len(found) >= answer["meta"]["total"]:
            return found
        page += 1


def _python(code: str) -> float:
    """A process of its own, with compiled modules as an installed package has them."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return timed(lambda: subprocess.run([sys.executable, "-c", code], check=True, env=environment))
