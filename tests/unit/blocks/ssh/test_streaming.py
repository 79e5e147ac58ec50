"""Output without an end, over a real SSH connection: line by line, until it ends, is left, or breaks."""

import contextlib

import pytest

from blocks.errors import Unreachable
from blocks.ssh.output import LONGEST_LINE
from blocks.ssh.session import Session
from blocks.ssh.streaming import stream_command
from tests.support.ssh_server import USER_KEY, Server, key_text

pytestmark = pytest.mark.unit


@pytest.fixture
def stream():
    opened = []

    def run(work, lines: list | None = None, **options):
        lines = [] if lines is None else lines
        server = Server(lambda _command, _first, channel: work(channel))
        session = Session(server.address(), key_text(USER_KEY))
        opened.extend([server, session])
        session.__enter__()
        return lines, stream_command(session, ["logs"], lines.append, stdin=b"\n", **options)

    yield run
    for one in reversed(opened):
        one.__exit__(None, None, None)


def test_lines_come_whole_whatever_the_pieces_and_the_exit_code_is_told(stream):
    def work(channel) -> int:
        for piece in (b"one\ntw", b"o\nthr", b"ee"):
            channel.sendall(piece)
        return 4

    assert stream(work) == (["one", "two", "three"], 4)


def test_errors_go_their_own_way_when_one_is_given(stream):
    errors = []

    def work(channel) -> int:
        channel.sendall(b"out\n")
        channel.sendall_stderr(b"err\n")
        return 0

    assert stream(work, on_error=errors.append) == (["out"], 0)
    assert errors == ["err"]


def endless(channel) -> int:
    with contextlib.suppress(OSError, EOFError):
        while True:
            channel.sendall(b"again\n")
    return 0


def test_what_has_no_end_is_left_when_that_is_wanted(stream):
    lines = []
    found, code = stream(endless, lines, stopped=lambda: len(lines) > 1000)
    assert (set(found), code) == ({"again"}, None)


def test_what_has_no_end_is_left_after_its_time(stream):
    assert stream(endless, timeout=0.3)[1] is None


def test_a_line_without_an_end_comes_in_pieces_and_none_is_kept(stream):
    def work(channel) -> int:
        channel.sendall(b"x" * 3 * LONGEST_LINE)
        return 0

    found, code = stream(work)
    assert (sum(map(len, found)), code) == (3 * LONGEST_LINE, 0)
    assert max(map(len, found)) <= 2 * LONGEST_LINE


def test_a_connection_that_breaks_is_an_error(stream):
    def work(channel) -> int:
        channel.sendall(b"one\n")
        channel.get_transport().close()
        return -1

    with pytest.raises(Unreachable):
        stream(work)
