"""Answers that were changed on their way: one change is drawn, and each parser's own good answer is changed by it."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support.hostile.texts import PIECES, texts, values

Path = tuple[Any, ...]


def nodes(value: Any, at: Path = ()) -> Iterator[Path]:
    """The place of every value in a JSON value, itself included."""
    yield at
    children = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        yield from nodes(inner, (*at, key))


def put(value: Any, at: Path, new: Any, *, drop: bool = False) -> Any:
    """A JSON value with another one at a place, or with nothing there."""
    if not at:
        return new
    found = dict(value) if isinstance(value, Mapping) else list(value)
    if drop and len(at) == 1:
        del found[at[0]]
    else:
        found[at[0]] = put(found[at[0]], at[1:], new, drop=drop)
    return found


def found_at(value: Any, at: Path) -> Any:
    """What stands at a place."""
    for key in at:
        value = value[key]
    return value


def many(value: Any, times: int) -> Any:
    """So many times as much of a value; a mapping gets fields of other names with the same content."""
    if isinstance(value, Mapping):
        return {**value, **{f"{key}{n}": item for key, item in value.items() for n in range(times)}}
    return value * times if isinstance(value, str | list) else int("9" * min(times, 4000))


@dataclass(frozen=True)
class Change:
    """What is changed: so many values of an answer, and then its text.

    Args:
        values: which (counted, from anywhere), whether it is dropped, and what stands there instead.
        text: where (in thousandths), how much goes (in characters), and what stands there instead.
        whole: a text instead of the answer.
    """

    values: tuple[tuple[int, bool, Any], ...] = ()
    text: tuple[tuple[int, int, str], ...] = ()
    whole: str | None = None

    def of_value(self, value: Any) -> Any:
        """A JSON value, changed."""
        if self.whole is not None:
            return self.whole
        for which, drop, new in self.values:
            places = list(nodes(value))
            value = put(value, places[which % len(places)], new, drop=drop)
        return value

    def of_text(self, text: str) -> str:
        """A text, changed."""
        if self.whole is not None:
            return self.whole
        for at, gone, new in self.text:
            place = len(text) * at // 1000
            text = f"{text[:place]}{new}{text[place + gone :]}"
        return text


_values = st.tuples(st.integers(0, 10_000), st.booleans(), values)
_texts = st.tuples(st.integers(0, 1000), st.sampled_from([0, 1, 7, 10_000_000]), st.sampled_from(PIECES) | texts)
changes = (
    st.builds(Change, st.tuples(_values) | st.tuples(_values, _values), st.just(()))
    | st.builds(Change, st.just(()), st.tuples(_texts) | st.tuples(_texts, _texts))
    | st.builds(Change, whole=texts)
)


def in_sections(value: Any) -> str:
    """A value as scripts print it: a section for each key, what is no text as JSON."""
    if not isinstance(value, Mapping):
        return printed(value)
    return "".join(f"\n@@slipway:{name}\n{printed(inner)}\n" for name, inner in value.items())


def in_lines(value: Any) -> str:
    """A list as lines of JSON."""
    return "\n".join(map(printed, value)) if isinstance(value, list) else printed(value)


def printed(value: Any) -> str:
    """A value as text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def packed(value: Any) -> str:
    """A value as the droplet packs it."""
    return base64.b64encode(gzip.compress(printed(value).encode("utf-8", "surrogatepass"), 1)).decode()
