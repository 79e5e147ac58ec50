"""A parser of what others say, with a good answer that is changed, and the errors it may end in."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from flows.core.errors import SlipwayError
from tests.support.hostile.changes import Change, found_at, many, nodes, printed, put


@dataclass(frozen=True)
class Attacked:
    """A parser under attack.

    Args:
        parser: the function.
        good: an answer that it reads: a JSON value or a text.
        read: calls it with the changed answer; None: with that alone.
        shape: makes the text of the value; None: it is given the value itself.
        encoding: it is given bytes, made of the text by this; '': a text.
        refuses: the errors by which it may refuse an answer.
        error: the answer is one that says what went wrong, so it is refused even as it is.
    """

    parser: Callable[..., Any]
    good: Any
    read: Callable[[Any], object] | None = None
    shape: Callable[[Any], str] | None = printed
    encoding: str = ""
    refuses: tuple[type[Exception], ...] = (SlipwayError,)
    error: bool = False

    @property
    def name(self) -> str:
        return full_name(self.parser)

    def answer(self, change: Change) -> Any:
        """The good answer, changed."""
        value = change.of_value(self.good)
        return value if self.shape is None else self._as_read(change.of_text(self.shape(value)))

    def long(self, piece: str, times: int) -> Any:
        """An answer of the same words again and again."""
        return piece * times if self.shape is None else self._as_read(piece * times)

    def longer(self) -> Iterator[Callable[[int], Any]]:
        """Each makes the good answer longer at one place: so many times as many entries of a list or fields of a
        mapping, or a text as long."""
        for place in nodes(self.good):
            yield partial(self._longer, place)

    def _longer(self, place: tuple[Any, ...], times: int) -> Any:
        value = put(self.good, place, many(found_at(self.good, place), times))
        return value if self.shape is None else self._as_read(self.shape(value))

    def reads(self, answer: Any) -> bool:
        """Whether an answer is read, to its end; False where it is refused.

        Raises:
            Exception: of another kind than those it refuses by.
        """
        try:
            found = self.read(answer) if self.read else self.parser(answer)
            if isinstance(found, Iterator):
                deque(found, maxlen=0)
        except self.refuses:
            return False
        return True

    def _as_read(self, text: str) -> str | bytes:
        """What a droplet prints is decoded before, so no half characters are left in a text."""
        content = text.encode(self.encoding or "utf-8", "replace" if self.encoding == "latin-1" else "surrogatepass")
        return content if self.encoding else content.decode(errors="replace")


def full_name(function: Callable[..., Any]) -> str:
    """Module and name of a function."""
    function = getattr(function, "__func__", function)
    return f"{function.__module__}.{function.__qualname__}"
