"""Answers of others, parsed: whatever is wrong with one is a single known error.

A droplet may print half of a JSON document, one that is nested a million times, or a word where a number should be. Of
a watch and a status this is a droplet that is not well, and never a reason to end.
"""

import functools
import gzip
import io
import zlib
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import yaml

from flows.core.errors import UnreadableAnswer
from flows.core.quotation import quoted_line

Given = ParamSpec("Given")
Found = TypeVar("Found")
# What reading a text of any content may raise: `OSError` is gzip's, `ArithmeticError` that of an endless number.
MALFORMED = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, EOFError, OSError, zlib.error,
    yaml.YAMLError, AssertionError,
)  # fmt: skip
_WIDTH = 80
LARGEST = 64 * 1024 * 1024


def unpacked(packed: bytes, most: int = LARGEST) -> bytes:
    """The content of a gzip of others.

    Raises:
        ValueError: it is larger than `most`.
        OSError, EOFError, zlib.error: it is no gzip, or cut off.
    """
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"it holds more than {most:,} bytes")
    return content


def reads(what: str) -> Callable[[Callable[Given, Found]], Callable[Given, Found]]:
    """Decorates a parser of what others printed: it raises UnreadableAnswer whatever is wrong with it.

    Args:
        what: what was printed, for the error.
    """

    def decorate(parse: Callable[Given, Found]) -> Callable[Given, Found]:
        @functools.wraps(parse)
        def parsed(*args: Given.args, **kwargs: Given.kwargs) -> Found:
            try:
                return parse(*args, **kwargs)
            except MALFORMED as error:
                # Of the error its kind alone, or the field's name: others repeat what was printed, and with it secrets.
                field = f" {quoted_line(str(error), _WIDTH)}" if isinstance(error, KeyError) else ""
                raise UnreadableAnswer(
                    f"{what} cannot be read: it is cut off, or not of the form that is expected "
                    f"({type(error).__name__}{field}). Look at it yourself, then try again: slipway debug-agent"
                ) from None

        return parsed

    return decorate
