"""What is said over the socket of a template: one request, and answers to it, each a frame of limited size."""

import json
import struct
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

LENGTH = struct.Struct("!I")
# The kernel takes at most 2 MiB of arguments and environment as a rule; JSON may write a byte as six.
MOST_BYTES = 16 * 1024 * 1024
STDIO = 3


_Message = TypeVar("_Message")


class BadFrame(ValueError):
    """What came over the socket is no message of ours."""


@dataclass(frozen=True)
class StartRequest:
    """Run `python -m module arguments…` in a fork.

    Args:
        env: its whole environment.
        cwd: its working directory.
        quiet: what it writes goes nowhere; otherwise to where the template writes, or to the files that came along.
        attached: it is killed when whoever asked is gone (a command in a terminal); otherwise it goes on (a run).
        first: what stands first on the search path; '': the working directory.
        umask: of the fork; negative: the template's.
    """

    module: str
    arguments: list[str]
    env: dict[str, str]
    cwd: str
    quiet: bool = False
    attached: bool = False
    first: str = ""
    umask: int = -1


@dataclass(frozen=True)
class Answer:
    """Of a template: first the pid of the fork, or why there is none; then its exit status, negative for a signal.

    Args:
        stale: the code changed since it was imported; another template is needed.
    """

    pid: int | None = None
    status: int | None = None
    refused: str = ""
    stale: bool = False


def frame(message: StartRequest | Answer) -> bytes:
    """A message as it travels. Whatever bytes an environment has, JSON writes them as ASCII."""
    text = json.dumps(asdict(message)).encode("ascii")
    if len(text) > MOST_BYTES:
        raise BadFrame(f"a message of {len(text)} bytes; at most {MOST_BYTES}")
    return LENGTH.pack(len(text)) + text


def body_length(head: bytes) -> int:
    """How many bytes follow these four."""
    (length,) = LENGTH.unpack(head)
    if not 0 < length <= MOST_BYTES:
        raise BadFrame(f"a message of {length} bytes; at most {MOST_BYTES}")
    return int(length)


def whole_frame(received: bytes | bytearray) -> bytes | None:
    """The body of the one message in these bytes; None as long as a part is missing."""
    if len(received) < LENGTH.size:
        return None
    length = body_length(bytes(received[: LENGTH.size]))
    if len(received) > LENGTH.size + length:
        raise BadFrame("more than one message")
    return bytes(received[LENGTH.size :]) if len(received) == LENGTH.size + length else None


def parse_request(body: bytes) -> StartRequest:
    """The request in this body; everything of the type it has to have."""
    found = _members(body, StartRequest)
    text = [found.get("module"), found.get("cwd"), found.get("first", ""), *_texts(found.get("arguments"))]
    env = found.get("env")
    if not isinstance(env, dict):
        raise BadFrame("env is no object")
    text += [*env.keys(), *env.values()]
    if not all(isinstance(entry, str) and "\0" not in entry for entry in text):
        raise BadFrame("something that has to be text is none")
    if not all(isinstance(found.get(name, False), bool) for name in ("quiet", "attached")):
        raise BadFrame("something that has to be true or false is neither")
    if type(umask := found.get("umask", -1)) is not int or not -1 <= umask <= 0o777:
        raise BadFrame("umask is none")
    if any(not name or "=" in name for name in env):
        raise BadFrame("a variable with an impossible name")
    return _made(StartRequest, found)


def parse_answer(body: bytes) -> Answer:
    """The answer in this body."""
    found = _members(body, Answer)
    for name, kind in (("pid", int), ("status", int), ("refused", str), ("stale", bool)):
        value = found.get(name)
        if value is not None and type(value) is not kind:
            raise BadFrame(f"{name} is no {kind.__name__}")
    return _made(Answer, found)


def _members(body: bytes, kind: type) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"no JSON: {type(error).__name__}") from None
    known = {field.name for field in fields(kind)}
    if not isinstance(found, dict) or not set(found) <= known:
        raise BadFrame(f"not an object of {', '.join(sorted(known))}")
    return found


def _made(kind: type[_Message], found: dict[str, Any]) -> _Message:
    try:
        return kind(**found)
    except TypeError as error:
        raise BadFrame(str(error)) from None


def _texts(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise BadFrame("arguments is no list")
    return value
