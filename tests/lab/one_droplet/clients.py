"""Clients of a stack at the edge: each of them would notice a request that is lost, cut or done twice."""

import threading
from collections import Counter
from types import TracebackType

import httpx

from tests.lab.one_droplet.unprepared import HOST, Bazaar
from tests.support import wait_until

_SNI = {"sni_hostname": HOST}


class Clients:
    """Fresh and kept connections, long requests, rows that are counted, and one stream of events."""

    def __init__(self, stack: Bazaar) -> None:
        self._stack, self._end = stack, threading.Event()
        self._lost: list[str] = []
        self._written: list[str] = []
        self._versions: set[str] = set()
        self._number = 0
        works = (self._fresh, self._kept, self._slow, self._rows)
        self._threads = [threading.Thread(target=self._until_the_end, args=(work,)) for work in works]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def await_answers(self, version: str) -> None:
        """Wait until a client has seen this version."""
        wait_until(lambda: version in self._versions, why=lambda: self._versions)

    def lost(self) -> list[str]:
        """What clients noticed."""
        return self._lost

    def doubled_or_missing(self, rows: str) -> list[str]:
        """The rows that were written, and are not there exactly once."""
        assert self._written
        counted = Counter(rows.splitlines())
        return [row for row in self._written if counted[row] != 1]

    def _until_the_end(self, work: object) -> None:
        assert callable(work)
        with self._stack.client() as client:
            while not self._end.is_set():
                try:
                    work(client)
                except (httpx.HTTPError, OSError) as error:
                    self._lost.append(f"{getattr(work, '__name__', '')}: {type(error).__name__}: {error}")
                self._end.wait(0.02)

    def _kept(self, client: httpx.Client) -> None:
        self._note(client.get("/hello", extensions=_SNI))

    def _fresh(self, client: httpx.Client) -> None:
        with self._stack.client() as fresh:
            self._note(fresh.get("/hello", extensions=_SNI))

    def _slow(self, client: httpx.Client) -> None:
        self._note(client.get("/slow/3", extensions=_SNI))

    def _rows(self, client: httpx.Client) -> None:
        self._number += 1
        row = f"row {self._number} of {id(self)}"
        if client.post("/rows", content=row, extensions=_SNI).raise_for_status():
            self._written.append(row)

    def _note(self, answer: httpx.Response) -> None:
        self._versions.add(str(answer.raise_for_status().json()["version"]))
