"""The command line, run in this process."""

import os
import re
import ssl
from dataclasses import dataclass
from functools import cache

from typer.testing import CliRunner

os.environ.setdefault("PREFECT_API_URL", "http://127.0.0.1:4200/api")
os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
# Each HTTP client, of which a command makes several, would read all certificates of the machine: 20 ms.
ssl.create_default_context = cache(ssl.create_default_context)


@dataclass(frozen=True)
class CliResult:
    """What one `slipway …` said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The errors that were shown, each with its name."""
        return [line.removeprefix("✗ ") for line in self.err.splitlines() if line.startswith("✗ ")]

    @property
    def plan(self) -> dict[str, str]:
        """What becomes of each service, as a deploy told it before its first change."""
        kinds = "new|replaced|restarted|started|runs again|scaled|left alone|removed"
        table = self.out.partition("Plan: release")[2]
        return dict(re.findall(rf"^(\S+) {{2,}}({kinds})(?: {{2}}|$)", table, re.MULTILINE))

    @property
    def all(self) -> str:
        return f"{self.out}\n{self.err}"


def slipway(*words: str, **settings: str) -> CliResult:
    """Run `slipway` in this process, where Prefect is imported once. Settings are environment variables.

    As in a process of its own it knows no secret at first: what another test has for one may be words in this one.
    """
    from flows.cli.main import app  # noqa: PLC0415 — after the environment is set
    from flows.tasks.runs import log_masking  # noqa: PLC0415 — after the environment is set

    log_masking._mask = type(log_masking._mask)()
    answer = CliRunner().invoke(app, list(words), env=settings)
    if answer.exception and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return CliResult(answer.exit_code, answer.stdout, answer.stderr)


def slipway_ok(*words: str, **settings: str) -> CliResult:
    """Run `slipway`, which must succeed."""
    said = slipway(*words, **settings)
    assert said.code == 0, said.all
    return said
