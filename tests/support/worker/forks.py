"""Asks a template for forks of small modules, and reads what those wrote."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.worker.protocol import StartRequest
from flows.worker.template_process import ForkedProcess, TemplateProcess
from tests import CHECKOUT

COMMAND = (sys.executable, "-m", "tests.support.worker.template_for_tests")


@dataclass
class Forks:
    """A template, and a directory for modules and for what they write."""

    template: TemplateProcess
    place: Path

    def request(self, code: str, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> StartRequest:
        """A request for a fork that runs this code."""
        name = f"module_{len(list(self.place.glob('module_*.py')))}"
        (self.place / f"{name}.py").write_text(f"import json, os, sys, time\nfrom pathlib import Path\n{code}\n")
        path = os.pathsep.join([str(self.place), str(CHECKOUT)])
        whole = {"PATH": os.environ["PATH"], "HOME": str(self.place), "PYTHONPATH": path, **(env or {})}
        cwd = options.pop("cwd", str(self.place))
        return StartRequest(module=name, arguments=list(arguments), env=whole, cwd=cwd, **options)

    def status(self, code: str, *arguments: str, **options: Any) -> int:
        """The exit status of a fork that runs this code."""
        return self.end_of(self.request(code, *arguments, **options))

    def end_of(self, request: StartRequest) -> int:
        async def wait(process: ForkedProcess) -> int:
            return await process.wait()

        return self.during(request, wait)

    def during(self, request: StartRequest, look: Callable[[ForkedProcess], Awaitable[Any]]) -> Any:
        """What this sees of the fork while it lives."""

        async def both() -> Any:
            return await look(await self.template.fork(request))

        return asyncio.run(asyncio.wait_for(both(), 60))

    def told(self, expression: str, *arguments: str, **options: Any) -> Any:
        """What an expression is in a fork."""
        file = self.place / "told"
        file.unlink(missing_ok=True)
        code = f"Path({str(file)!r}).write_text(json.dumps({expression}))"
        assert self.status(code, *arguments, **options) == 0
        return json.loads(file.read_text())


@contextmanager
def forks(place: Path) -> Iterator[Forks]:
    """A template of its own, which looks at the code in `place`/root."""
    (place / "root" / "flows").mkdir(parents=True)
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = {**own, "ROOT": str(place / "root"), "PYTHONPATH": str(CHECKOUT)}
    template = TemplateProcess(COMMAND, env)
    try:
        yield Forks(template, place)
    finally:
        template.close()


def ended(pid: int) -> bool:
    """Whether this process ended, even if nobody waited for it yet."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
