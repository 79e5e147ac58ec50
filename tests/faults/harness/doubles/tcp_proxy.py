"""A wire to a port of this machine that can be cut, go silent, and heal: in front of a droplet's SSH port."""

import socket
import struct
import threading
from contextlib import suppress

_CHUNK = 65536
_RESET = struct.pack("ii", 1, 0)


class TcpProxy:
    """A TCP proxy on a free port of loopback; use it as a context manager."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[_Pair] = []
        self._mode = "whole"
        self._refused = 0
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, name="wire", daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    @property
    def connections(self) -> int:
        """How many are open."""
        with self._lock:
            return sum(not pair.ended for pair in self._pairs)

    @property
    def refused(self) -> int:
        """How many new connections were reset since the last `cut`."""
        with self._lock:
            return self._refused

    @property
    def withheld(self) -> int:
        """How many connections have something on them, in both directions, that does not come through."""
        with self._lock:
            return sum(len(pair.withheld) == 2 and not pair.ended for pair in self._pairs)

    def cut(self, *, down: bool = False) -> None:
        """Reset every connection; with `down`, new ones are reset too until `heal`."""
        with self._lock:
            self._mode = "down" if down else "whole"
            self._refused = 0
            for pair in self._pairs:
                pair.reset()

    def silence(self, *, down: bool = True) -> None:
        """What is open stays open, and nothing comes through any more; with `down`, new ones are as silent."""
        with self._lock:
            self._mode = "silent" if down else "whole"
            for pair in self._pairs:
                pair.flowing.clear()

    def heal(self) -> None:
        """Everything flows again, also what was held back."""
        with self._lock:
            self._mode = "whole"
            for pair in self._pairs:
                pair.flowing.set()

    def __enter__(self) -> "TcpProxy":
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.close()
        self.cut(down=True)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                with self._lock:
                    if self._mode == "down":
                        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                        near.close()
                        self._refused += 1
                        continue
                    with suppress(OSError):
                        pair = _Pair(near, socket.create_connection(("127.0.0.1", self._target), timeout=10))
                        self._pairs.append(pair)
                        if self._mode == "whole":
                            pair.flowing.set()


class _Pair:
    """One connection: two sockets, and a thread for each direction."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.flowing = threading.Event()
        self.ended = False
        self.withheld: set[socket.socket] = set()
        self._sockets = (near, far)
        far.settimeout(None)
        for source, target in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, target), name="wire-pump", daemon=True).start()

    def reset(self) -> None:
        for end in self._sockets:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._end()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                self.withheld.add(source)
                self.flowing.wait()
                self.withheld.discard(source)
                target.sendall(data)
        self.flowing.wait()
        self._end()

    def _end(self) -> None:
        """Wake both threads, then close: what is closed under a thread that reads stays open."""
        self.ended = True
        self.flowing.set()
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RD)
        for end in self._sockets:
            end.close()
