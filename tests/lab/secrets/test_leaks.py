"""Secrets are seen nowhere: planted in every block, told by a careless service, and then looked for everywhere.

One release succeeds, two fail and are rolled back, each leaving a debug bundle. The environment changes in between, so
that what the old release was given stands in no block any more.
"""

import json
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_hex

import pytest

from tests import CHECKOUT
from tests.faults.harness.doubles.forced_command import forced_command
from tests.stacks.single_service import BLOCK, CRASHES, LIES, STACK, SingleServiceStack, open_single_service_stack
from tests.support.lab.lab import STATE, prefect_login
from tests.support.lab.process_watcher import Seen, watched
from tests.support.lab.saved_blocks import saved
from tests.support.lab.secret_leaks import Needles, kept_by_prefect, published

pytestmark = pytest.mark.lab

ENTRY = "/var/lib/slipway-sentinels"
# The droplet keeps every command that it is asked for.
_KEEP_WHAT_IS_ASKED = f'printf "%s\\n" "$SSH_ORIGINAL_COMMAND" >>{ENTRY}/asked'
# Below a release's directory, which only its owner may enter: all that may hold what it was given, with its mode.
MAY_HOLD = {"environment": "600", "config.yml": "600", "files/web.env": "600", "files/secrets/token": "444"}


@dataclass
class Done:
    """What was done, said, and seen meanwhile."""

    stack: SingleServiceStack
    needles: Needles
    began: datetime
    seen: Seen
    tmp: Path
    said: dict[str, str] = field(default_factory=dict)
    keys_shown: set[str] = field(default_factory=set)

    def run(self, name: str, code: int, *words: str, **settings: str) -> None:
        """Run `slipway` as a process of its own."""
        env = {**os.environ, "PYTHONPATH": str(CHECKOUT), **self.stack.settings, **settings, "TMPDIR": str(self.tmp)}
        argv = [sys.executable, "-m", "flows.cli", *words]
        answer = subprocess.run(argv, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=180, check=False)
        self.said[name] = f"{answer.stdout}\n{answer.stderr}"
        assert answer.returncode == code, self.said[name]


def _environment(greeting: str) -> dict[str, str]:
    """Values of all sorts: with quotes and dollars, of several lines, and longer than any excerpt."""
    return {
        "greeting": f'{greeting}-{token_hex(12)} "5$" é',
        "colour": f"{token_hex(12)}-green",
        "token": f"{token_hex(12)}\n{token_hex(150)}\n",
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Done]:
    tmp = tmp_path_factory.mktemp("sentinels")
    (tmp / "tmp").mkdir()
    with (
        open_single_service_stack(tmp) as stack,
        _langfuse() as langfuse,
        forced_command(stack.droplet, f"{ENTRY}/enter", _KEEP_WHAT_IS_ASKED) as private,
    ):
        from blocks import Droplet, Langfuse  # noqa: PLC0415 — after the environment is set

        before, after, key = _environment("good morning"), _environment("good evening"), f"sk-lf-{token_hex(16)}"
        planted = {
            **{f"the old {name}": value for name, value in before.items()},
            **{f"the new {name}": value for name, value in after.items()},
            "the registry's password": stack.registry.block.password.get_secret_value(),
            "the SSH key": "".join(private.splitlines()[1:-1])[218:258],  # its secret half
            "Langfuse's secret key": key,
            "Prefect's login": prefect_login(),
        }
        droplet = Droplet.load(BLOCK)
        blocks = {
            BLOCK: Droplet(**{**droplet.model_dump(exclude={"block_type_slug"}), "private_key": private}),
            "single-service-langfuse": Langfuse(url=langfuse.url, public_key="pk-lf-single", secret_key=key),
        }
        options = ("--verbose", "--droplet", BLOCK)
        with saved(**blocks), watched(stack.droplet) as seen:
            done = Done(stack, Needles(planted), datetime.now(UTC), seen, tmp / "tmp", keys_shown=langfuse.shown)
            traced = {"SLIPWAY_LANGFUSE": "single-service-langfuse", "SLIPWAY_TRACE_TIMEOUT": "0.1"}
            stack.save_environment(**before)
            done.run("a release", 0, "release", *stack.make("v1"), *options, **traced)
            langfuse.repeats = True
            done.run("a validation", 0, "validate", "--stack", STACK, *options, **traced)
            stack.save_environment(**after)
            done.run("a crash", 1, "release", *stack.make("crashing", CRASHES), *options)
            done.run("a lie", 1, "release", *stack.make("lying", LIES), *options)
            done.run("a look", 0, "debug-agent", "web", "--stack", STACK, *options)
            for verb in ("history", "status"):
                done.run(verb, 0, verb, "--stack", STACK, "--droplet", BLOCK, "--json")
        yield done
        stack.droplet.sh(f"rm -rf {ENTRY}")


def test_everything_happened_that_could_have_shown_them(done: Done) -> None:
    assert done.stack.outcomes() == [
        ("deploy", "v1", "good"),
        ("deploy", "crashing", "rolled back"),
        ("rollback", "v1", "good"),
        ("deploy", "lying", "rolled back"),
        ("rollback", "v1", "good"),
    ]
    shown = ("a release", "a crash", "a lie", "a look")
    assert [name for name in shown if "my GREETING is ••••" not in done.said[name]] == []
    assert "what? what?" in done.said["a validation"]
    assert len(done.keys_shown) == 1
    assert len(_bundles(done)) == 3  # of the crash, the lie and the look


def test_no_command_says_them(done: Done) -> None:
    assert done.needles.leaks(done.said.items()) == set()


def test_prefect_is_told_none_of_them(done: Done) -> None:
    assert done.needles.leaks(kept_by_prefect(done.began)) == set()


def test_prefect_s_files_hold_none_of_them(done: Done) -> None:
    files = [path for path in (STATE / "prefect").rglob("*") if path.is_file()]
    fresh = [path for path in files if path.stat().st_mtime >= done.began.timestamp()]
    assert [path for path in fresh if path.name == "prefect.db"]
    assert done.needles.leaks((str(path), path.read_bytes()) for path in fresh) == set()


def test_no_debug_bundle_holds_them(done: Done) -> None:
    for bundle in _bundles(done):
        with tarfile.open(bundle) as archive:
            files = {file.name: archive.extractfile(file) for file in archive if file.isfile()}
            texts = [(name, content.read()) for name, content in files.items() if content]
        assert any(b"my GREETING is \xe2\x80\xa2" in text for _, text in texts)
        assert done.needles.leaks(texts) == set()


def test_what_is_published_holds_none_of_them(done: Done) -> None:
    everything = list(published(done.stack.registry))
    assert any(b"release.json" in content for _, content in everything)
    assert done.needles.leaks(everything) == set()


def test_no_process_was_given_them_as_an_argument(done: Done) -> None:
    """A process can be too short to be seen, so the droplet also kept what sshd was asked for."""
    asked = done.stack.droplet.sh(f"cat {ENTRY}/asked")
    assert "slipway-lock" in asked
    assert any(b"compose" in line and b"build" in line for line in done.seen.here)
    assert any(b"compose" in line and b" up " in line for line in done.seen.there)
    lines = [("here", line) for line in done.seen.here] + [("there", line) for line in done.seen.there]
    assert done.needles.leaks([("asked", asked), *lines]) == set()


def test_the_lock_s_holder_was_seen_and_names_none_of_them(done: Done) -> None:
    holders = [line for line in done.seen.there if b'"purpose": "release of single-service ' in line]
    assert {
        f"release of single-service {tag}".encode() in b"".join(holders) for tag in ("v1", "crashing", "lying")
    } == {True}
    assert done.needles.leaks(("holder", line) for line in holders) == set()


def test_no_temporary_file_is_left(done: Done) -> None:
    assert [str(path) for path in done.tmp.rglob("*")] == []


def test_on_the_droplet_only_the_files_of_the_environment_hold_them(done: Done) -> None:
    droplet = done.stack.droplet
    everywhere = "/opt /root /tmp /run /etc /home /var --exclude-dir=docker --exclude-dir=containerd"
    holding = droplet.sh(f"grep -rlaF -D skip -f - {everywhere} || true", done.needles.lines()).split()
    names = {path: path.removeprefix(f"{droplet.home}/releases/").partition("/")[2] for path in holding}
    assert set(names.values()) == set(MAY_HOLD)
    modes = droplet.sh(f"stat -c '%a %n' {' '.join(holding)}").splitlines()
    assert {(names[path], mode) for mode, path in map(str.split, modes)} == set(MAY_HOLD.items())
    assert droplet.sh(f"stat -c %a {droplet.home}").strip() == "700"


def test_the_engine_is_told_them_by_the_stack_s_own_environment_alone(done: Done) -> None:
    for entry in done.stack.droplet.containers().values():
        assert done.needles.found(json.dumps(entry["Config"].pop("Env"), ensure_ascii=False))
        assert done.needles.leaks([("inspect", json.dumps(entry, ensure_ascii=False))]) == set()


def _bundles(done: Done) -> list[Path]:
    return sorted(Path(done.stack.settings["SLIPWAY_REPORTS"]).glob("*.tar.gz"))


class _Langfuse(ThreadingHTTPServer):
    """A Langfuse that knows every trace; later it fails, and repeats whatever it was sent."""

    shown: set[str]
    repeats = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: _Langfuse

    def do_GET(self) -> None:
        login = self.headers["Authorization"]
        self.server.shown.add(login)
        self.send_response(500 if self.server.repeats else 200)
        self.end_headers()
        repeated = f"{'what? ' * 30}{login}"  # so that an excerpt ends in the middle of it
        self.wfile.write(repeated.encode() if self.server.repeats else b'{"data": [{"id": "one"}]}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _langfuse() -> Iterator[_Langfuse]:
    with _Langfuse(("127.0.0.1", 0), _Answer) as server:
        server.shown = set()
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()
