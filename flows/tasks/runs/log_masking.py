"""What this process knows to be secret, and the one way out for text, which does not repeat it.

Prefect masks nothing. So every log record of the process is made, and every error of ours is told, without the secrets
that a block, or a droplet's files, gave us, and without what a terminal would obey: whatever they reach afterwards (the
API, a state's message, a terminal, a file) shows `••••`.
"""

import logging
import threading
from collections.abc import Iterable
from typing import Any

from blocks.errors import OutsideError
from flows.core.errors import SlipwayError
from flows.core.quotation import LINES, WIDTH, Markup, quoted_end, quoted_line, without_controls
from flows.core.secrets.masking import Mask, container_values
from flows.core.stack.stack import Stack

_lock = threading.Lock()
_mask = Mask()
_FORMAT = logging.Formatter()
# Mark of a record that tells of an error which has a name, and is raised besides.
NAMED = "slipway_named"


class Masked(Exception):
    """Stands in a log record for an exception whose text held a secret."""


class _Records:
    """Makes log records as they were made before, without secrets."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **kwargs)
        _clean(record)
        return record


def register_secrets(values: Iterable[str], public: Iterable[str] = ()) -> None:
    """Remember values as secret, for as long as the process lives, and keep them out of its logs.

    Args:
        values: as `flows.core.secrets.masking` takes them from variables and files.
        public: words that stay readable, such as the names of services.
    """
    global _mask  # noqa: PLW0603 — a log has no other place to look
    new, shown = frozenset(values), frozenset(public)
    with _lock:
        if not (new <= _mask.given and shown <= _mask.public):
            _mask = Mask(new | _mask.given, shown | _mask.public)
        _guard_records()


def register_stack_secrets(stack: Stack) -> None:
    """Remember what the services of a stack, as Compose resolved it on a droplet, are given under telling names."""
    register_secrets(
        {v for service in stack.services.values() for v in container_values(service.environment, service.words)},
        {stack.name, *stack.services},
    )


def mask(text: str) -> str:
    """The text without any secret this process knows, and without control characters."""
    masked = _mask(text)
    plain = without_controls(masked)
    if plain != masked:
        plain = _mask(plain)  # a secret may have been torn by what is gone now
    return Markup(plain) if isinstance(text, Markup) else plain


def masked_line(text: str, width: int = WIDTH) -> str:
    """Words of others for an error: without secrets, as one line of at most so many characters."""
    return quoted_line(mask(text), width)


def masked_end(text: str, lines: int = LINES) -> str:
    """The end of a log or of a command's output, for an error: without secrets, its last lines, each cut."""
    return quoted_end(mask(text), lines)


def known_secrets() -> frozenset[str]:
    """Every value this process was told to keep."""
    return _mask.given


def _guard_records() -> None:
    if not isinstance(logging.getLogRecordFactory(), _Records):
        logging.setLogRecordFactory(_Records(logging.getLogRecordFactory()))


def _clean(record: logging.LogRecord) -> None:
    try:
        said = record.getMessage()
    except Exception:
        return  # arguments that do not fit: logging itself says so
    error = record.exc_info[1] if record.exc_info else None
    plain = said
    if isinstance(error, (SlipwayError, OutsideError)):  # its name says what it is: no trace helps who reads it
        plain = _as_a_sentence(said, error)
        record.exc_info = record.exc_text = None
        setattr(record, NAMED, True)
    if (shown := mask(plain)) != said:
        record.msg, record.args = shown, None
    if record.exc_info and record.exc_info[1] is not None:
        told = _FORMAT.formatException(record.exc_info)
        if (shown := mask(told)) != told:
            record.exc_text = shown
            record.exc_info = (Masked, Masked(shown), None)


def _as_a_sentence(said: str, error: Exception) -> str:
    """A message about an error that has a name: with its sentence, which Prefect writes as Python would."""
    sentence = f"{type(error).__name__}: {error}"
    if repr(error) in said:
        return said.replace(repr(error), sentence)
    return said if str(error) in said else f"{said}: {sentence}"


SlipwayError.shown = staticmethod(mask)
_guard_records()
