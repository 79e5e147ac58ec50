"""The droplet's lock, by its own scripts on this machine: taken, refused, fed, lost, and free when its holder dies."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from flows.core.droplet.lock import (
    BUSY,
    BYE,
    CANNOT_WRITE,
    HELD_BY_ANOTHER,
    LOST,
    NOT_OURS,
    Holder,
    guarded_script,
    hold_script,
    holder_script,
    read_holder,
)
from tests.support import PATIENCE, wait_until

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(not shutil.which("flock") or not Path("/proc").is_dir(), reason="needs Linux and util-linux"),
]
ME, YOU = Holder("a" * 32, "me@here", "deploy of shop v1", "run-1"), Holder("b" * 32, "you@there", "rollback of shop")


def begin(directory: Path, holder: Holder, wait: float = 0, lease: int = 20) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        hold_script(str(directory), holder.token, wait, lease),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1,
    )  # fmt: skip
    with suppress(BrokenPipeError):  # one that is refused at once reads nothing
        process.stdin.write(holder.line() + "\n")
    return process


@contextmanager
def held(directory: Path, holder: Holder = ME, **more) -> Iterator[subprocess.Popen[str]]:
    process = begin(directory, holder, **more)
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait(timeout=PATIENCE)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def is_free(directory: Path) -> bool:
    return subprocess.run(["flock", "-n", directory / "lock", "true"], check=False).returncode == 0


def who_holds(directory: Path) -> str:
    argv = ["sh", "-c", holder_script(str(directory))]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def under(directory: Path, command: str, holder: Holder = ME) -> subprocess.CompletedProcess[str]:
    argv = guarded_script(str(directory), holder.token, command)
    return subprocess.run(["timeout", "20", *argv], capture_output=True, text=True, check=False)


def start_under(directory: Path, command: str) -> subprocess.Popen[bytes]:
    """A command under the lock that has begun, in a group of its own as `timeout` makes one on the droplet."""
    begun = directory / "begun"
    argv = guarded_script(str(directory), ME.token, f"touch {begun}; {command}")
    process = subprocess.Popen(["timeout", "60", *argv])
    wait_until(begun.exists)
    return process


def test_the_lock_is_taken_and_its_holder_can_be_read(tmp_path):
    with held(tmp_path / "new"):
        assert not is_free(tmp_path / "new")
        said = who_holds(tmp_path / "new")
        assert read_holder(said) == ME


def test_a_second_one_is_refused_and_told_who_holds_it(tmp_path):
    with held(tmp_path):
        second = begin(tmp_path, YOU)
        out, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == HELD_BY_ANOTHER
    assert read_holder(out.removeprefix(BUSY)) == ME
    assert "me@here: deploy of shop v1 (run run-1), since" in str(read_holder(out.removeprefix(BUSY)))


def test_a_second_one_that_waits_gets_it_when_the_first_lets_go(tmp_path):
    with held(tmp_path) as first:
        second = begin(tmp_path, YOU, wait=30)
        assert second.stdout.readline().startswith(BUSY)
        first.stdin.write(f"{BYE}\n")
        assert second.stdout.readline() == "held\n"
        assert YOU.token in (tmp_path / "lock.holder").read_text()
        second.communicate(f"{BYE}\n", timeout=PATIENCE)
    assert is_free(tmp_path)


def test_letting_go_leaves_no_holder(tmp_path):
    with held(tmp_path) as process:
        process.stdin.write(f"{BYE}\n")
        process.wait(timeout=PATIENCE)
    assert (is_free(tmp_path), (tmp_path / "lock.holder").exists()) == (True, False)


def test_the_lock_is_free_when_the_channel_ends(tmp_path):
    with held(tmp_path) as process:
        process.stdin.close()
        process.wait(timeout=PATIENCE)
        assert (is_free(tmp_path), (tmp_path / "lock.holder").exists()) == (True, False)


def test_the_lock_is_free_after_its_lease_when_nothing_is_heard(tmp_path):
    with held(tmp_path, lease=1) as process:
        process.wait(timeout=PATIENCE)
        assert (is_free(tmp_path), (tmp_path / "lock.holder").exists()) == (True, False)


def test_each_heartbeat_begins_a_whole_lease_and_comes_back(tmp_path, monkeypatch):
    asked = tmp_path / "asked"
    monkeypatch.setenv("BASH_FUNC_read%%", f'() {{ echo "$3 $4" >>{asked}; builtin read "$@"; }}')
    with held(tmp_path, lease=30) as process:
        for _ in range(3):
            process.stdin.write("beat\n")
            assert process.stdout.readline() == "beat\n"
        wait_until(lambda: asked.read_text() == "30 holder\n" + "30 line\n" * 4)
        assert not is_free(tmp_path)


def test_a_killed_holder_leaves_a_name_but_no_lock(tmp_path):
    with held(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=PATIENCE)
        assert is_free(tmp_path)
        said = who_holds(tmp_path)
        assert said == ""
        with held(tmp_path, YOU):
            assert YOU.token in (tmp_path / "lock.holder").read_text()


def test_a_command_runs_under_the_lock_with_its_own_exit_code(tmp_path):
    with held(tmp_path):
        assert under(tmp_path, "echo done; exit 3").returncode == 3
        assert under(tmp_path, "echo done").stdout == "done\n"


@pytest.mark.parametrize("holder", [None, YOU], ids=["nobody", "another"])
def test_a_command_does_not_run_when_the_lock_is_held_by(holder, tmp_path):
    if holder is None:
        answer = under(tmp_path, "touch ran")
    else:
        with held(tmp_path, holder):
            answer = under(tmp_path, "touch ran")
    assert (answer.returncode, (tmp_path / "ran").exists()) == (LOST, False)


@pytest.mark.parametrize(
    "stubborn", ["sleep 60", "trap '' TERM; while true; do sleep 1; done"], ids=["asked", "forced"]
)
def test_a_command_that_still_runs_is_ended_before_the_lock_is_free(stubborn, tmp_path, monkeypatch):
    monkeypatch.setenv("BASH_FUNC_sleep%%", "() { command sleep 0.01; }")  # between one look and the next
    with held(tmp_path) as holder:
        command = start_under(tmp_path, stubborn)
        holder.stdin.close()
        wait_until(lambda: is_free(tmp_path))
        assert command.wait(timeout=PATIENCE) != 0


def test_a_command_left_by_a_killed_holder_is_ended_before_the_next_gets_the_lock(tmp_path):
    with held(tmp_path) as holder:
        command = start_under(tmp_path, "sleep 60")
        holder.kill()
    with held(tmp_path, YOU):
        assert command.wait(timeout=PATIENCE) != 0


def test_the_next_holder_does_not_end_a_process_that_only_has_the_old_ones_number(tmp_path):
    bystander = subprocess.Popen(["timeout", "60", "sleep", "60"])
    try:
        (tmp_path / "lock.busy").write_text(f"{os.getpgid(bystander.pid)}\n")
        with held(tmp_path):
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_directory_that_cannot_be_made_is_told_apart(tmp_path):
    (tmp_path / "file").touch()
    process = begin(tmp_path / "file" / "below", ME)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == CANNOT_WRITE


@pytest.mark.parametrize(("kind", "why"), [
    ("link", "is a link"), ("for its group", "can be written by others"), ("for all", "can be written by others"),
    ("another's", "belongs to nobody"),
])  # fmt: skip
def test_a_directory_that_another_user_could_lead_elsewhere_is_refused(tmp_path, kind, why):
    place, real = tmp_path / "slipway", tmp_path / "real"
    (real if kind == "link" else place).mkdir(mode=0o755)
    if kind == "link":
        place.symlink_to(real)
    elif kind == "another's":
        if os.getuid():
            pytest.skip("only root can give a directory away")
        shutil.chown(place, "nobody")
    else:
        place.chmod(0o777 if kind == "for all" else 0o775)
    for named in (place, f"{place}/"):
        process = begin(named, ME)
        _, said = process.communicate(timeout=PATIENCE)
        assert (process.returncode, said) == (NOT_OURS, f"{why}\n")
    assert os.listdir(place) == []


def test_a_directory_that_others_may_read_is_ours(tmp_path):
    tmp_path.chmod(0o755)
    with held(tmp_path):
        pass


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "null", '{"by": 1}'])
def test_a_holder_that_cannot_be_read_is_somebody(text):
    assert "since" in str(read_holder(text))
