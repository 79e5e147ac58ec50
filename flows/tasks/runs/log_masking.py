"""What this process knows to be secret, and a log that does not repeat it.

Prefect masks nothing in logs. So every log record of the process is made without the secrets that a block, or a
droplet's files, gave us: whatever handler it reaches afterwards (the API, a terminal, a file) shows `••••`.
"""

import logging
import threading
from collections.abc import Iterable
from typing import Any

from flows.core.secrets.masking import Mask, container_values
from flows.core.stack.stack import Stack

_lock = threading.Lock()
_mask = Mask()
_FORMAT = logging.Formatter()


class Masked(Exception):
    """Stands in a log record for an exception whose text held a secret."""


class _Records:
    """Makes log records as they were made before, without secrets."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **kwargs)
        if _mask.secrets:
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
        if not isinstance(logging.getLogRecordFactory(), _Records):
            logging.setLogRecordFactory(_Records(logging.getLogRecordFactory()))


def register_stack_secrets(stack: Stack) -> None:
    """Remember what the services of a stack, as Compose resolved it on a droplet, are given under telling names."""
    register_secrets(
        {v for service in stack.services.values() for v in container_values(service.environment, service.words)},
        {stack.name, *stack.services},
    )


def mask(text: str) -> str:
    """The text without any secret this process knows."""
    return _mask(text)


def known_secrets() -> frozenset[str]:
    """Every value this process was told to keep."""
    return _mask.given


def _clean(record: logging.LogRecord) -> None:
    try:
        said = record.getMessage()
    except Exception:
        return  # arguments that do not fit: logging itself says so
    if (shown := _mask(said)) != said:
        record.msg, record.args = shown, None
    if record.exc_info and record.exc_info[1] is not None:
        told = _FORMAT.formatException(record.exc_info)
        if (shown := _mask(told)) != told:
            record.exc_text = shown
            record.exc_info = (Masked, Masked(shown), None)
