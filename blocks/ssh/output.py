"""The output of remote commands: collected, handed on line by line, shortened for errors."""

import io
from collections.abc import Callable, Sequence

Line = Callable[[str], None]
_TAIL = 2000
# Bytes that a command may print, and that a line may have before it is handed on in pieces.
LARGEST = 64 * 1024 * 1024
LONGEST_LINE = 256 * 1024


def command_name(command: str | Sequence[str]) -> str:
    """The name of a command in errors: its first word, or the first line of a script."""
    return command.strip().splitlines()[0][:60] if isinstance(command, str) else command[0]


class LineCollector:
    """A stream's content, collected; whole lines are handed on as they come, and longer ones in pieces."""

    def __init__(self, on_line: Line | None) -> None:
        self._all = io.BytesIO()
        self._rest = b""
        self._on_line = on_line

    @property
    def size(self) -> int:
        """Bytes that came so far."""
        return self._all.tell()

    def feed(self, data: bytes) -> None:
        self._all.write(data)
        if self._on_line is None:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._on_line(line.decode(errors="replace").rstrip("\r"))

    def end(self) -> str:
        if self._on_line is not None and self._rest:
            self._on_line(self._rest.decode(errors="replace"))
            self._rest = b""
        return self._all.getvalue().decode(errors="replace")


def tail(text: str) -> str:
    """The end of a long text, from a whole line or at least a whole word on: half a secret could not be masked."""
    if len(text) <= _TAIL:
        return text
    end = text[-_TAIL:]
    return end.partition("\n")[2] or f"… {end.partition(' ')[2]}"
