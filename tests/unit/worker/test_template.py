"""A template takes requests and nothing else, and a worker gets another one when it ended or its code changed."""

import asyncio
import json
import os
import signal
import socket
import stat

import pytest

from flows.core.errors import StartRefused, TemplateEnded
from flows.worker.protocol import LENGTH, MOST_BYTES, StartRequest, frame, parse_answer
from flows.worker.template_process import UNKNOWN_STATUS, TemplateProcess
from tests.support import wait_until
from tests.support.worker.forks import Forks, ended

pytestmark = pytest.mark.unit
GOOD = {"module": "this", "arguments": [], "env": {}, "cwd": "/"}
WAITS = "Path('waits').touch()\nwhile not Path('go').exists(): time.sleep(.01)\nsys.exit(5)"


def framed(message: object) -> bytes:
    text = json.dumps(message).encode()
    return LENGTH.pack(len(text)) + text


def connected(forked: Forks) -> socket.socket:
    forked.template.start()
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    connection.connect(str(forked.template._socket))
    return connection


def answered(connection: socket.socket):
    with connection.makefile("rb") as file:
        (length,) = LENGTH.unpack(file.read(LENGTH.size))
        return parse_answer(file.read(length))


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        LENGTH.pack(0),
        LENGTH.pack(MOST_BYTES + 1),
        LENGTH.pack(3) + b"\xff\xfe\xfd",
        LENGTH.pack(2) + b"{}",
        framed([GOOD]),
        framed({**GOOD, "shell": "true"}),
        framed({**GOOD, "arguments": "-c"}),
        framed({**GOOD, "arguments": [1]}),
        framed({**GOOD, "env": [["A", "B"]]}),
        framed({**GOOD, "env": {"A": 1}}),
        framed({**GOOD, "env": {"A=B": ""}}),
        framed({**GOOD, "env": {"A": "\0"}}),
        framed({**GOOD, "quiet": 1}),
        framed({**GOOD, "cwd": "/nowhere"}),
        framed({**GOOD, "cwd": "/etc/hostname"}),
        framed(GOOD) + framed(GOOD),
        LENGTH.pack(200_000) + b"[" * 200_000,
    ],
)
def test_what_is_no_request_is_refused_and_the_template_goes_on(forked, sent):
    before = forked.told("os.getppid()")
    with connected(forked) as connection:
        connection.sendall(sent)
        answer = answered(connection)
    assert (answer.pid, bool(answer.refused)) == (None, True)
    assert forked.told("os.getppid()") == before


def test_its_socket_is_its_users_alone(forked):
    connected(forked).close()
    place = forked.template._socket
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700


def test_a_request_that_is_not_complete_keeps_nobody_waiting(forked):
    whole = frame(forked.request("sys.exit(5)"))
    with connected(forked) as slow:
        slow.sendall(whole[:10])
        assert forked.status("sys.exit(6)") == 6
        slow.sendall(whole[10:])
        assert answered(slow).pid


def test_two_forks_run_side_by_side_and_each_has_its_own_end(forked):
    async def both():
        slow = await forked.template.fork(forked.request(WAITS))
        quick = await forked.template.fork(forked.request("sys.exit(6)"))
        ends = [await quick.wait()]
        (forked.place / "go").touch()
        return [*ends, await slow.wait()]

    assert asyncio.run(asyncio.wait_for(both(), 60)) == [6, 5]


def test_what_is_too_large_or_in_no_directory_is_refused(forked):
    with pytest.raises(StartRefused, match="cannot work in the directory /nowhere"):
        forked.status("pass", cwd="/nowhere")
    with pytest.raises(StartRefused, match="too large"):
        forked.status("pass", env={"LARGE": "x" * MOST_BYTES})


def test_a_fork_that_nobody_knows_of_does_not_begin(forked):
    begun = forked.place / "begun"
    with connected(forked) as connection:
        connection.shutdown(socket.SHUT_RD)  # its answer cannot be sent
        connection.sendall(frame(forked.request("Path('begun').touch()")))
    assert forked.status("pass") == 0
    assert forked.status("pass") == 0
    assert not begun.exists()


def test_an_attached_fork_is_killed_when_whoever_asked_is_gone_and_any_other_goes_on(forked):
    pids = {}
    for attached in (True, False):
        with connected(forked) as connection:
            connection.sendall(frame(forked.request(WAITS, attached=attached)))
            pids[attached] = answered(connection).pid
    wait_until(lambda: ended(pids[True]))
    assert os.path.exists(f"/proc/{pids[False]}")
    (forked.place / "go").touch()
    wait_until(lambda: ended(pids[False]))


def test_when_the_template_is_killed_its_fork_goes_on_and_the_next_one_has_another_template(own):
    async def look():
        process = await own.template.fork(own.request(WAITS))
        killed = own.template.pid
        wait_until((own.place / "waits").exists)
        os.kill(killed, signal.SIGKILL)
        other = await own.template.fork(own.request("sys.exit(6)"))
        assert own.template.pid not in {killed, None}
        assert process.returncode is None
        assert os.path.exists(f"/proc/{process.pid}")
        (own.place / "go").touch()
        return await other.wait(), await process.wait()

    assert asyncio.run(asyncio.wait_for(look(), 60)) == (6, UNKNOWN_STATUS)


def test_when_the_code_changed_another_template_runs_it_and_the_old_one_says_how_its_fork_ended(own):
    async def look():
        process = await own.template.fork(own.request(WAITS))
        old = own.template.pid
        (own.place / "root/flows/new.py").write_text("")
        other = await own.template.fork(own.request("sys.exit(6)"))
        assert own.template.pid not in {old, None}
        (own.place / "go").touch()
        return old, await other.wait(), await process.wait()

    old, *ends = asyncio.run(asyncio.wait_for(look(), 60))
    assert ends == [6, 5]
    wait_until(lambda: ended(old))  # it ended with its last fork


def test_a_template_ends_with_its_worker_and_leaves_no_socket_while_its_fork_goes_on(own):
    async def look():
        return (await own.template.fork(own.request(WAITS))).pid

    pid, place = asyncio.run(look()), own.template._socket.parent
    own.template._process.stdin.close()  # as the kernel does for a killed worker
    assert own.template._process.wait(60) == 0
    assert not place.exists()
    assert os.path.exists(f"/proc/{pid}")
    (own.place / "go").touch()
    wait_until(lambda: ended(pid))


def test_a_template_that_cannot_begin_is_an_error_with_a_name():
    template = TemplateProcess(("false",))
    with pytest.raises(TemplateEnded, match=r"docs/WORKERS\.md"):
        asyncio.run(template.fork(StartRequest("this", [], {}, "/")))
    template.close()
    assert template.pid is None
