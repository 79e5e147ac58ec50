"""A command in a terminal that a worker's template carries out: as if it ran here, and where none does, it does."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from flows.worker import meeting_place
from flows.worker.template_process import TemplateProcess
from tests import CHECKOUT
from tests.support import wait_until
from tests.support.worker.forks import COMMAND, ended

pytestmark = [pytest.mark.unit, pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux")]
CLIENT = """
import sys
sys.path[0] = {place!r}
from flows.worker import attached
attached._STARTS_WITHIN_S = 60
attached.run_attached(sys.argv[1:], "asked_for")
print("ran here")
"""
LOOKS = """
import json, os, sys
said = {"words": sys.argv[1:], "cwd": os.getcwd(), "env": os.environ.get("ASKED"), "stdin": sys.stdin.read(),
        "umask": os.umask(0o022), "parent": os.getppid()}
print(json.dumps(said))
print("to standard error", file=sys.stderr)
sys.exit(7)
"""
WAITS = """
import os, sys, time
from pathlib import Path
Path("pid.new").write_text(str(os.getpid())); os.rename("pid.new", "pid")
try:
    while not Path("go").exists(): time.sleep(.01)
except KeyboardInterrupt:
    print("interrupted"); sys.exit(130)
"""


class Terminal:
    """A template of a worker, and commands that may meet it."""

    def __init__(self, place, template: TemplateProcess) -> None:
        self.place, self.template = place, template

    def start(self, code: str, *words: str, env: dict[str, str] | None = None, **options) -> subprocess.Popen:
        (self.place / "asked_for.py").write_text(code)
        whole = {"PATH": os.environ["PATH"], "TMPDIR": str(self.place), "PYTHONPATH": str(CHECKOUT), **(env or {})}
        pipes = {name: options.get(name, subprocess.PIPE) for name in ("stdin", "stdout", "stderr")}
        client = CLIENT.format(place=str(self.place))
        return subprocess.Popen([sys.executable, "-c", client, *words], cwd=self.place, env=whole, text=True, **pipes)

    def run(self, code: str, *words: str, given: str = "", **options) -> tuple[int, str, str]:
        process = self.start(code, *words, **options)
        out, err = process.communicate(given, 60)
        return process.returncode, out, err

    def pid(self) -> int:
        wait_until((self.place / "pid").exists)
        return int((self.place / "pid").read_text())


@contextmanager
def made(place, command=COMMAND):
    (place / "root/flows").mkdir(parents=True)
    there = place / f"slipway-{os.getuid()}"
    there.mkdir(mode=0o700)
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = {**own, "ROOT": str(place / "root"), "PYTHONPATH": str(CHECKOUT)}
    template = TemplateProcess(command, env, there)
    template.start()
    try:
        yield Terminal(place, template)
    finally:
        template.close()


@pytest.fixture
def short_path():
    """A directory whose path is short: that of a socket has 107 characters at most."""
    with TemporaryDirectory(dir="/tmp") as place:
        yield Path(place)


@pytest.fixture
def terminal(short_path):
    with made(short_path) as terminal:
        yield terminal


def test_it_has_the_streams_words_environment_directory_and_exit_code_of_the_command(terminal):
    code, out, err = terminal.run(LOOKS, "look", "--at", "ü", env={"ASKED": "yes"}, given="line\n")
    said = json.loads(out)
    assert said.pop("parent") == terminal.template.pid
    assert said == {
        "words": ["look", "--at", "ü"], "cwd": str(terminal.place), "env": "yes", "stdin": "line\n",
        "umask": os.umask(0o022),
    }  # fmt: skip
    assert (code, err) == (7, "to standard error\n")


def test_a_question_in_a_terminal_is_shown_at_once_and_answered_there(terminal):
    ours, its = os.openpty()
    asks = "import sys\nprint('ready')\nsaid = input('go on? ')\nprint('said', said)\nprint(sys.stdout.isatty())\n"
    process = terminal.start(asks, "ask", stdin=its, stdout=its, stderr=its)
    os.close(its)
    shown = b""
    while b"go on? " not in shown:
        shown += os.read(ours, 1000)
    os.write(ours, b"yes\n")
    while b"True" not in shown:
        shown += os.read(ours, 1000)
    assert process.wait(60) == 0
    os.close(ours)
    assert b"ready\r\n" in shown
    assert b"said yes" in shown


def test_an_interrupt_reaches_it_and_it_ends_as_it_ends_by_itself(terminal):
    process = terminal.start(WAITS, "wait")
    terminal.pid()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "interrupted\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_it_ends_the_command(terminal, number):
    process = terminal.start(WAITS, "wait")
    pid = terminal.pid()
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == -number
    assert ended(pid)


def test_it_is_stopped_and_goes_on_with_the_command(terminal):
    process = terminal.start(WAITS, "wait")
    pid = terminal.pid()
    process.send_signal(signal.SIGTSTP)
    wait_until(lambda: all("\nState:\tT" in Path(f"/proc/{one}/status").read_text() for one in (pid, process.pid)))
    process.send_signal(signal.SIGCONT)
    (terminal.place / "go").touch()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_it_is_killed_with_the_command(terminal):
    process = terminal.start(WAITS, "wait")
    pid = terminal.pid()
    process.kill()
    process.communicate()
    wait_until(lambda: ended(pid))


def test_it_goes_on_when_the_template_is_killed(terminal):
    process = terminal.start(WAITS, "wait")
    terminal.pid()
    os.kill(terminal.template.pid, signal.SIGKILL)
    (terminal.place / "go").touch()
    process.communicate(timeout=60)
    assert process.returncode == 1  # how it ended, nobody knows any more


def test_where_it_cannot_be_as_if_it_ran_here_it_runs_here(terminal):
    here = (0, "ran here\n", "")
    assert terminal.run(LOOKS, "look", env={"PYTHONHASHSEED": "1"}) == here  # its interpreter was started otherwise
    assert terminal.run(LOOKS, "worker") == here
    assert terminal.run(LOOKS, "look", "--help") == here
    (terminal.place / "root/flows/new.py").write_text("")  # another version of the code
    assert terminal.run(LOOKS, "look") == here


def test_it_runs_here_where_no_template_is_of_its_user_or_none_lives(short_path):
    terminal = Terminal(short_path, TemplateProcess())
    here = (0, "ran here\n", "")
    assert terminal.run(LOOKS, "look") == here
    place = short_path / f"slipway-{os.getuid()}"
    (place / f"{meeting_place.mark()}-dead").mkdir()
    assert terminal.run(LOOKS, "look") == here
    place.chmod(0o755)  # whoever else may write there could answer
    assert terminal.run(LOOKS, "look") == here


def test_a_meeting_place_of_somebody_else_is_none(short_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(short_path))
    assert meeting_place.meeting_place() == short_path / f"slipway-{os.getuid()}"
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    (short_path / "slipway-12345").symlink_to(short_path)
    assert meeting_place.meeting_place() is None
