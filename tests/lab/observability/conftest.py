"""A real Prometheus that has a week of made releases and scrapes ours, and promtool: both of the lab's image."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.registry import Collector

from blocks.polling import until
from flows.looking.metrics import metrics_server
from tests import CHECKOUT
from tests.lab.observability.made import Ill, Shop, shop
from tests.support.lab.lab import LABELS, STATE, Lab
from tests.support.records.exposition import over_time
from tests.support.records.history import MadeHistory, as_of, steps

RULES = CHECKOUT / "compose/observability"
WEEK = timedelta(days=7)


class Tools:
    """Programs of the lab's image of Prometheus; they see one directory, as the user that runs the tests."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab, self.directory = lab, directory

    def words(self, program: str, *argv: str, network: str = "none") -> list[str]:
        labels = [f"--label={label}" for label in LABELS]
        user = f"--user={os.getuid()}:{os.getgid()}"
        return [
            str(STATE / "bin/docker"), "run", "--rm", "--interactive", f"--network={network}", user, *labels,
            f"--volume={self.directory}:/here", "--workdir=/here", f"--entrypoint={program}",
            f"{self.lab.name}-prometheus", *argv,
        ]  # fmt: skip

    def promtool(self, *argv: str, given: str = "") -> str:
        """What promtool says; that it ends otherwise than well is an assertion."""
        done = subprocess.run(
            self.words("promtool", *argv), input=given, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


class Prometheus:
    """A Prometheus that answers."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=f"{url}/api/v1", trust_env=False, timeout=30)

    def series(self, query: str) -> list[dict]:
        """What an instant query finds now. An error is an assertion, with Prometheus' own words."""
        said = self.client.get("/query", params={"query": query}).json()
        assert said["status"] == "success", f"{query}: {said['error']}"
        return said["data"]["result"]


@pytest.fixture(scope="module")
def rules(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """promtool, beside a copy of the rules."""
    directory = tmp_path_factory.mktemp("rules")
    for file in RULES.iterdir():
        (directory / file.name).write_bytes(file.read_bytes())
    return Tools(lab, directory)


@pytest.fixture(scope="module")
def prometheus(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with a week of releases of `shop`, that scrapes `shop`, `ill`, and `slipway metrics` of the lab."""
    now, tools = datetime.now(UTC), Tools(lab, tmp_path_factory.mktemp("prometheus"))
    made = MadeHistory(now - WEEK)
    made.week()
    times = steps(now - WEEK, now - timedelta(minutes=30), 4 * 3600)
    week = over_time((at.timestamp(), shop(as_of(made.moments, at), at)) for at in times)
    (tools.directory / "week.txt").write_text(week)
    tools.promtool("tsdb", "create-blocks-from", "openmetrics", "week.txt", "data")
    with ExitStack() as stack:
        ports = [stack.enter_context(serving(one)) for one in (Shop(made.history), Ill())]
        ports.append(stack.enter_context(slipway_metrics()))
        yield stack.enter_context(running(tools, ports))


@contextmanager
def serving(collector: Collector) -> Iterator[int]:
    """The port that these metrics are served at, by our server."""
    with metrics_server(collector, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(10)


@contextmanager
def slipway_metrics() -> Iterator[int]:
    """The port of the command itself, which looks at the lab's droplets."""
    words = [sys.executable, "-m", "flows.cli", "metrics", "--listen", "127.0.0.1:0", "--age", "5"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        assert process.stderr
        said = process.stderr.readline()
        port = re.search(r"127\.0\.0\.1:(\d+)/metrics", said)
        assert port, said
        rest = threading.Thread(target=process.stderr.read)  # so that it never waits for a reader
        rest.start()
        yield int(port[1])
        process.terminate()
        rest.join(10)


@contextmanager
def running(tools: Tools, ports: list[int]) -> Iterator[Prometheus]:
    """A Prometheus that scrapes these ports every second, by our rules, each of which it evaluates as often."""
    rules = ["recording.yml", "alerts.yml"]
    for name in rules:
        text = re.sub(r"interval: 1m\b", "interval: 1s", (RULES / name).read_text())
        (tools.directory / name).write_text(text)
    targets = [f"127.0.0.1:{port}" for port in ports]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "scrape_configs": [
            {"job_name": "made", "static_configs": [{"targets": targets[:2]}]},
            {
                "job_name": "lab", "scrape_interval": "10s", "scrape_timeout": "10s",
                "static_configs": [{"targets": targets[2:]}],
            },
        ],
        "rule_files": rules,
    }  # fmt: skip
    (tools.directory / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    words = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"]
    command = tools.words("prometheus", *words, network="host")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        said: list[str] = []
        reading = threading.Thread(target=lambda: said.extend(iter(process.stderr.readline, "")))
        reading.start()
        where = until(
            lambda: re.search(r'msg="Listening on" address=(\S+:\d+)', "".join(said)), bool, 60, pause=0.1,
            unfinished=lambda *_: AssertionError("".join(said)),
        )  # fmt: skip
        assert where
        found = Prometheus(f"http://{where[1]}")
        until(
            lambda: found.client.get("/status/runtimeinfo").is_success, bool, 60, pause=0.1,
            unfinished=lambda *_: AssertionError("".join(said)),
        )  # fmt: skip
        yield found
        process.terminate()
        reading.join(30)
