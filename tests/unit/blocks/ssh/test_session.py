"""One SSH connection, against a server in this process that speaks the real protocol."""

import contextlib
import re

import paramiko
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.errors import HostKeyRefused, LoginRefused, OutputTooLarge, RemoteFailed, RemoteTimeout, Unreachable
from blocks.ssh.keys import SshTarget, key_fingerprint
from blocks.ssh.output import LONGEST_LINE, LineCollector, tail
from blocks.ssh.session import Session
from tests.support import PATIENCE
from tests.support.ssh_server import HOST_KEY, OTHER_KEY, USER_KEY, Server, key_text, public

pytestmark = pytest.mark.unit

NOWHERE = SshTarget("green", "127.0.0.1", 1, "root", public(HOST_KEY))
LARGE = 6 * 1024 * 1024  # more than a channel's window


def everything(channel: paramiko.Channel) -> bytes:
    parts = []
    while data := channel.recv(65536):
        parts.append(data)
    return b"".join(parts)


def work(command: str, first: bytes, channel: paramiko.Channel) -> int:
    """What the droplet does: the last word of the command says which."""
    match command.rsplit(maxsplit=1)[-1].strip("'"):
        case "echo":
            channel.sendall(command.encode() + b"\n")
        case "count":
            channel.sendall(str(len(first + everything(channel))).encode())
        case "both":
            channel.sendall(b"out 1\nout")
            channel.sendall_stderr("err ü\r\n".encode())
            channel.sendall(b" 2")
        case "large":
            channel.sendall(b"x" * LARGE)
        case "fail":
            channel.sendall_stderr(b"no such thing\n")
            return 3
        case "refuse":
            channel.sendall_stderr(b"Permission denied\n")
            return 2
        case "flood":
            with contextlib.suppress(OSError, EOFError):
                while True:
                    channel.sendall(b"x" * 65536)
        case "drip":
            with contextlib.suppress(OSError, EOFError):
                while True:
                    channel.sendall(b"x")
        case "slow":
            return 124
        case "killed":
            return 137
        case "vanish":
            return -1
        case "hang-up":
            channel.get_transport().close()
    return 0


@pytest.fixture(scope="module")
def server():
    with Server(work) as running:
        yield running


@pytest.fixture(scope="module")
def session(server):
    with Session(server.address(), key_text(USER_KEY)) as opened:
        yield opened


def test_a_command_is_quoted_and_limited_in_time(session):
    answer = session.run(["docker", "ps", "a b", "echo"], timeout=30)
    assert (answer.code, answer.out) == (0, "timeout -k 5 30 docker ps 'a b' echo\n")


def test_a_script_is_run_by_sh(session):
    assert session.run("set -eu\n: echo", timeout=1).out.startswith("timeout -k 5 1 sh -c 'set -eu")


def test_a_limit_below_a_second_is_still_a_limit(session):
    assert session.run(["echo"], timeout=0.3).out == "timeout -k 5 1 echo\n"


def test_what_a_command_reads_arrives_whole(session):
    assert session.run(["count"], timeout=30, stdin=b"x" * LARGE).out == str(LARGE)


def test_a_long_output_arrives_whole(session):
    assert len(session.run(["large"], timeout=30).out) == LARGE


def test_output_and_error_are_kept_apart_and_handed_on_line_by_line(session):
    lines = []
    answer = session.run(["both"], timeout=30, on_line=lines.append)
    assert (answer.out, answer.err) == ("out 1\nout 2", "err ü\r\n")
    assert sorted(lines) == ["err ü", "out 1", "out 2"]


def test_a_failure_says_where_what_and_why(session):
    with pytest.raises(RemoteFailed, match=r"droplet green at root@127.* `fail` ended with exit 3: no such thing") as e:
        session.run(["fail"], timeout=30)
    assert (e.value.code, e.value.output) == (3, "no such thing")
    assert session.run(["fail"], timeout=30, check=False).code == 3


def test_a_command_that_ends_before_it_has_read_all_still_says_why(session):
    with pytest.raises(RemoteFailed, match="Permission denied"):
        session.run(["refuse"], timeout=30, stdin=b"x" * LARGE)


@pytest.mark.parametrize("command", ["slow", "killed"])
def test_a_command_that_the_droplet_had_to_end_took_too_long(session, command):
    with pytest.raises(RemoteTimeout, match=f"`{command}` did not end within 30 s, and was ended"):
        session.run([command], timeout=30)


@pytest.mark.parametrize("command", ["vanish", "hang-up"])
def test_a_connection_that_breaks_is_no_result(server, command):
    broken = pytest.raises(Unreachable, match=f"the connection broke during `{command}`")
    with Session(server.address(), key_text(USER_KEY)) as session, broken:
        session.run([command], timeout=30)


def test_a_closed_session_says_so(server):
    with Session(server.address(), key_text(USER_KEY)) as session:
        pass
    with pytest.raises(Unreachable, match="the connection is closed"):
        session.run(["echo"], timeout=1)


@pytest.mark.parametrize(
    ("pinned", "words"),
    [
        (
            None,
            f"shows ecdsa-sha2-nistp256 {key_fingerprint(HOST_KEY)}, and no host key is pinned. .*droplet pin green",
        ),
        (
            OTHER_KEY,
            f"now shows ecdsa-sha2-nistp256 {key_fingerprint(HOST_KEY)}, pinned is {key_fingerprint(OTHER_KEY)}",
        ),
    ],
    ids=["unknown", "changed"],
)
def test_a_host_key_that_is_not_the_pinned_one_is_refused(server, pinned, words):
    session = Session(server.address(pinned), key_text(USER_KEY))
    with pytest.raises(HostKeyRefused, match=words.replace("+", r"\+")), session:
        pass


def test_a_pinned_key_of_another_kind_is_refused(server):
    pinned = paramiko.RSAKey.generate(2048)
    session = Session(server.address(pinned), key_text(USER_KEY))
    words = f"now shows ecdsa-sha2-nistp256 {key_fingerprint(HOST_KEY)}, pinned is {key_fingerprint(pinned)}"
    with pytest.raises(HostKeyRefused, match=re.escape(words)), session:
        pass


def test_a_key_that_the_droplet_does_not_take_is_refused(server):
    session = Session(server.address(), key_text(OTHER_KEY))
    with pytest.raises(LoginRefused, match="refuses the key of user root"), session:
        pass


def test_a_droplet_that_is_not_there_is_unreachable():
    with pytest.raises(Unreachable, match=r"cannot be reached: .*ssh -p 1 root@127\.0\.0\.1"):
        Session(NOWHERE, key_text(USER_KEY), timeout=2).__enter__()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")), st.lists(st.integers(1, 5)))
def test_lines_are_the_same_however_the_stream_is_cut(text, cuts):
    said = []
    lines = LineCollector(said.append)
    rest = text.encode()
    for cut in cuts:
        lines.feed(rest[:cut])
        rest = rest[cut:]
    lines.feed(rest)
    assert lines.end() == text
    *whole, last = text.split("\n")
    assert said == [*whole, *([last] if last else [])]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("short", "short"),
        (f"{'x' * 3000}\nlast line", "last line"),
        (f"{'x' * 3000} last words", "… last words"),
        ("x" * 3000, "… "),
    ],
    ids=["short", "lines", "one line", "one word"],
)
def test_the_end_of_a_long_text_begins_with_a_whole_word(text, end):
    assert tail(text) == end


def test_a_command_that_prints_without_an_end_is_given_up_on(session, monkeypatch):
    monkeypatch.setattr("blocks.ssh.session.LARGEST", 3_000_000)
    with pytest.raises(OutputTooLarge, match="more than 3,000,000 bytes"):
        session.run(["flood"], timeout=PATIENCE)


@pytest.mark.parametrize("word", ["flood", "drip"])
def test_a_command_that_always_prints_something_has_an_end_in_time(session, monkeypatch, word):
    monkeypatch.setattr("blocks.ssh.session._GRACE", 0.2)
    monkeypatch.setattr("blocks.ssh.session.LARGEST", 10**12)
    with pytest.raises(RemoteTimeout):
        session.run([word], timeout=0.1)


def test_a_line_without_an_end_is_handed_on_in_pieces():
    pieces = []
    lines = LineCollector(pieces.append)
    for _ in range(100):
        lines.feed(b"x" * 65536)
    assert len(lines.end()) == lines.size == 100 * 65536
    assert sum(map(len, pieces)) == 100 * 65536
    assert max(map(len, pieces)) <= LONGEST_LINE + 65536
