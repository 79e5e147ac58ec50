"""`slipway debug-agent` says why a service is not well, keeps it in one archive, and gives no secret away."""

import gzip
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.failing_services import (
    CORES,
    PASSWORD,
    STACK,
    FailingServicesStack,
    contents,
    open_failing_services_stack,
)
from tests.support import wait_until
from tests.support.lab.cli import CliResult, slipway
from tests.support.lab.lab import prefect_api

pytestmark = pytest.mark.lab
REFUSED = 2
PER_CONTAINER = {"inspect.json", "environment.txt", "logs.txt", "packages.txt", "usage.json"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FailingServicesStack]:
    with open_failing_services_stack(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="module")
def well(stack: FailingServicesStack) -> CliResult:
    """What is said while everything is well."""
    return stack.debug()


@pytest.fixture(scope="module")
def began() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def ill(stack: FailingServicesStack, well: CliResult, began: datetime) -> CliResult:
    """What is said once three of the four are ill, each in another way."""
    stack.tell("web", "touch /tmp/unhealthy")
    stack.tell("leaking", "echo leak >/tmp/behaviour")
    stack.tell("crashing", "echo crash >/tmp/behaviour")
    stack.until("web", lambda said: said["State"]["Health"]["Status"] == "unhealthy")
    for service in ("leaking", "crashing"):
        stack.until(service, lambda said: said["RestartCount"] > 1)
    before = stack.droplet.sh(f"find {stack.droplet.directory} -printf '%p %T@\\n' | sort")
    said = stack.debug("--verbose")
    assert stack.droplet.sh(f"find {stack.droplet.directory} -printf '%p %T@\\n' | sort") == before
    return said


@pytest.fixture(scope="module")
def bundle(stack: FailingServicesStack, ill: CliResult) -> dict[str, str]:
    """The one archive's files."""
    assert ill.code == 0, ill.all
    (archive,) = stack.archives()
    assert archive.stat().st_mode & 0o777 == 0o600
    assert str(archive) in ill.out
    return contents(archive)


def test_a_well_stack_is_said_to_be_well_and_nothing_is_kept(stack: FailingServicesStack, well: CliResult) -> None:
    assert well.code == 0, well.all
    assert f"Every service of {STACK} on droplet failing-services-droplet is well" in well.out
    assert stack.archives() == []


def test_an_unknown_service_is_refused_with_near_names(stack: FailingServicesStack, well: CliResult) -> None:
    said = stack.debug("wbe")
    assert said.code == REFUSED
    assert said.errors == [
        f"UnknownService: stack {STACK} on droplet failing-services-droplet has no service wbe. Did you mean web? "
        "Its services: crashing, leaking, python, web"
    ]


def test_a_droplet_and_this_host_are_not_looked_at_together(stack: FailingServicesStack) -> None:
    said = stack.debug("web", "--local")
    assert said.code == REFUSED
    assert "--local" in said.err


READINGS = {
    "an unhealthy service, by the words of its healthcheck": "unhealthy: no answer for ••••",
    "its health path": r"answered /health 503 no answer for ••••.* in 0\.\d\d s",
    "a service that eats its memory": r"restarted \d+ times; last exit 137: out of memory",
    "a service that crashes in a loop": r"restarted \d+ times; last exit 3",
    "the exception in its log": "the log ends with an exception: ValueError: no answer for ••••",
}


# Where the engine is not told by the kernel, nobody knows why it was killed.
UNTOLD = r"restarted \d+ times; last exit 137: killed, not by Docker"
OOM_EVENTS = (
    'docker events --since 10m --until "$(date +%s)" --filter type=container --filter event=oom '
    "--format '{{.Actor.Attributes.name}}'"
)


@pytest.mark.parametrize("what", READINGS)
def test_the_reading_tells_of(what: str, stack: FailingServicesStack, ill: CliResult, bundle: dict[str, str]) -> None:
    expected = READINGS[what]
    if what == "a service that eats its memory" and "leaking" not in stack.droplet.sh(OOM_EVENTS):
        expected = UNTOLD
    assert re.search(expected, ill.out)
    assert re.search(expected, bundle["README.md"])


def test_the_bundle_is_of_the_services_that_are_ill(bundle: dict[str, str]) -> None:
    assert {name.partition("/")[0] for name in bundle if "/" in name} == {"web", "leaking", "crashing"}
    for service in ("web", "leaking", "crashing"):
        mine = {name.partition("/")[2] for name in bundle if name.startswith(f"{service}/")}
        assert mine == PER_CONTAINER | {"health.json", "events.txt"}


def test_the_bundle_holds_what_the_droplet_says(bundle: dict[str, str]) -> None:
    assert "the key is ••••, the database ••••, the token ••••" in bundle["web/logs.txt"]
    assert bundle["web/environment.txt"].splitlines()[:3] == [
        "API_KEY=••••", "APP_PASSWORD=••••", "DB_URL=••••"
    ]  # fmt: skip
    assert bundle["web/packages.txt"].startswith("not a Python container\n")
    assert json.loads(bundle["web/health.json"])["get"]["status"] == 503
    assert json.loads(bundle["web/usage.json"])["memory"] > 100_000
    assert re.search(r"Z?\+00:00 die 137$", bundle["leaking/events.txt"], re.MULTILINE)
    assert "Docker Engine" in bundle["host.txt"]
    assert "MemAvailable" in bundle["host.txt"]
    assert '"tag": "v1"' in bundle["records.txt"]


def test_a_service_can_be_asked_for_by_name_and_shows_its_python(stack: FailingServicesStack, ill: CliResult) -> None:
    said = stack.debug("python", "--lines", "5", SLIPWAY_REPORTS=str(stack.reports / "python"))
    assert said.code == 0, said.all
    assert "nothing wrong was found" in said.out
    (archive,) = (stack.reports / "python").glob("*.tar.gz")
    packages = contents(archive)["python/packages.txt"]
    assert re.match(r"# Python 3\.\d+\n", packages)
    assert re.search(r"^idna==3\.\d+", packages, re.MULTILINE)


def test_an_artifact_shows_the_same_in_prefect(bundle: dict[str, str], began: datetime) -> None:
    found = _ask("artifacts/filter", began, "artifacts", key={"any_": [f"debug-{STACK}-failing-services-droplet"]})
    shown = [(one["type"], one["data"]) for one in found if "crashing, leaking, web" in one["description"]]
    assert shown == [("markdown", bundle["README.md"])]


@pytest.mark.parametrize("origin", CORES)
def test_a_secret_is_given_away_by_nothing_when_it_is_of(
    origin: str, stack: FailingServicesStack, ill: CliResult, bundle: dict[str, str], began: datetime
) -> None:
    secret = CORES[origin]
    ids = f"docker ps -aq --filter label=com.docker.compose.project={STACK}"
    assert secret in stack.droplet.sh(f"for id in $({ids}); do docker logs $id 2>&1; done")
    for archive in stack.archives():
        assert secret.encode() not in gzip.decompress(archive.read_bytes())
    assert secret not in ill.all
    for what in ("logs", "artifacts", "flow_runs", "task_runs"):
        assert secret not in json.dumps(_ask(f"{what}/filter", began, what), ensure_ascii=False)


def test_nothing_is_left_on_the_droplet(stack: FailingServicesStack, bundle: dict[str, str]) -> None:
    listed = "ls -d /dev/shm/slipway-private.* /tmp/slipway-private.* 2>/dev/null || true"
    left = set(stack.droplet.sh(listed).split())

    def gone() -> bool:  # another run may be looking at the droplet
        left.intersection_update(stack.droplet.sh(listed).split())
        return not left

    wait_until(gone, why=lambda: left, pause=0.2)


def test_another_digest_and_a_missing_container_are_seen(stack: FailingServicesStack, bundle: dict[str, str]) -> None:
    running = stack.droplet.containers()
    compose = "--label com.docker.compose"
    label = f"{compose}.oneoff=False {compose}.project={STACK} {compose}.service="
    stack.droplet.sh(
        f"docker rm -f {running['leaking']['Id']} {running['crashing']['Id']} >/dev/null; "
        f"docker run -d --name other --network none {label}crashing {running['python']['Image']} sleep infinity"
    )
    said = stack.debug(SLIPWAY_REPORTS=str(stack.reports / "digest"))
    assert "is not running; no container" in said.out
    assert set(stack.droplet.containers()) == {"web", "python", "crashing"}
    assert re.search(r"runs sha256:[0-9a-f]{12}…, the record says sha256:[0-9a-f]{12}…", said.out)


LOCAL = """
name: on-this-host
services:
  web:
    image: debian:trixie-slim
    init: true
    stop_grace_period: 1s
    command: [sh, -c, 'echo "bad $$DB_URL"; exec sleep infinity']
    environment: {{DB_URL: "postgres://app:{password}@db/x"}}
    healthcheck: {{test: [CMD, sh, -c, "echo still closed; exit 1"], interval: 200ms, retries: 2}}
    expose: ["8000"]
    x-slipway: {{health: /health}}
"""


@pytest.fixture
def at_home(tmp_path: Path) -> Iterator[Path]:
    """A project of this host's engine, unhealthy."""
    file = tmp_path / "compose.yaml"
    file.write_text(LOCAL.format(password=PASSWORD))
    compose = ["docker", "compose", "--file", str(file)]
    try:
        # It never gets healthy, so this ends as soon as it is unhealthy.
        answer = subprocess.run([*compose, "up", "--wait"], capture_output=True, text=True, timeout=60, check=False)
        assert "unhealthy" in answer.stderr, answer.stderr
        yield file
    finally:
        subprocess.run([*compose, "down", "--timeout", "1"], capture_output=True, timeout=60, check=True)


def test_what_is_developed_on_this_host_can_be_looked_at_too(stack: FailingServicesStack, at_home: Path) -> None:
    own = {**stack.settings, "SLIPWAY_REPORTS": str(at_home.parent)}
    said = slipway("debug-agent", "--local", "--stack", str(at_home), **own)
    assert said.code == 0, said.all
    assert "unhealthy: still closed" in said.out
    assert "did not answer /health: ConnectError" in said.out
    assert "Looked at web on this host" in said.out
    (archive,) = at_home.parent.glob("debug-on-this-host-local-*.tar.gz")
    assert "bad postgres://app:••••@db/x" in contents(archive)["web/logs.txt"]
    assert PASSWORD not in str(contents(archive)) + said.all


def _ask(path: str, began: datetime, kind: str, **more: Any) -> list[Any]:
    """What the Prefect server has kept since then; artifacts of a key."""
    times = {"logs": "timestamp", "flow_runs": "expected_start_time", "task_runs": "expected_start_time"}
    asked = {times[kind]: {"after_": began.isoformat()}} if kind in times else {}
    found: list[Any] = []
    while True:
        body = {kind: {**asked, **more}, "limit": 200, "offset": len(found)}
        with prefect_api() as api:
            page = api.post(path, json=body).raise_for_status().json()
        found += page
        if len(page) < 200:
            break
    return [one for one in found if kind in times or one["created"] >= began.isoformat()]
