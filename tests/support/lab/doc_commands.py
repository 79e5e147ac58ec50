"""Pages whose commands are run: their blocks of code, and somebody who types what stands there."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests import CHECKOUT
from tests.faults.harness.doubles.disposable_edge import DisposableEdge
from tests.faults.harness.second_prefect import SecondPrefect
from tests.support import wait_until
from tests.support.lab.lab import docker

API_PORT = 18090
_WAITS = "waits for an answer"


@dataclass(frozen=True)
class Fence:
    """A block of code on a page."""

    page: str
    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """One command, and what its comment says of how it ends."""

    where: str
    words: str
    waits: bool
    code: int


def fences(page: str) -> list[Fence]:
    text = (CHECKOUT / "docs" / page).read_text()
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Fence(page, text[: m.start()].count("\n") + 2, m.group(1), m.group(2)) for m in found]


def commands(fence: Fence) -> list[Command]:
    found = []
    for number, line in enumerate(fence.text.splitlines(), fence.line):
        words, _, comment = line.partition("   # ")
        code = re.search(r"exit (\d+)", comment)
        found.append(Command(f"{fence.page}:{number}", words, _WAITS in comment, int(code[1]) if code else 0))
    return found


@dataclass
class Reader:
    """Somebody who types what stands on the pages.

    Args:
        home: the home directory, in which the commands are run.
        here: what stands on the pages → what it is here.
    """

    home: Path
    edge: DisposableEdge
    prefect: SecondPrefect
    here: dict[str, str]
    environment: dict[str, str]
    _waiting: list[tuple[Command, subprocess.Popen[str]]] = field(default_factory=list)

    def follow(self, page: str) -> None:
        """Do what the page says, block by block."""
        for fence in fences(page):
            if fence.language == "sh":
                self.type(fence)
            elif fence.language == "toml" and fence.text.startswith("# slipway.toml\n"):
                with (self.home / "slipway.toml").open("a") as file:
                    file.write(self.localized(fence.text))
            elif fence.language == "caddyfile":
                self.configure(fence.text)

    def type(self, fence: Fence) -> None:
        """Run the commands of a block; one that sets a variable sets it for the rest of the block."""
        before = ""
        for command in commands(fence):
            if self._waiting:
                self._until_asked()
            if re.match(r"[A-Z]+=\$\(", command.words):
                before += f"{self.localized(command.words)}\n"
            elif command.waits:
                self._waiting.append((command, self._start(before + self.localized(command.words))))
            else:
                ended(command, self._start(before + self.localized(command.words)))
        while self._waiting:
            ended(*self._waiting.pop())

    def configure(self, caddyfile: str) -> None:
        """Give the edge the page's Caddyfile, at the lab's addresses and without a certificate."""
        own = caddyfile.replace("agents.example.com {", ":8080 {")
        for colour, address in (("green", "10.0.0.7"), ("blue", "10.0.0.8")):
            assert f"{address}:8000" in own
            own = own.replace(f"{address}:8000", f"slipway-lab-{colour}:{API_PORT}")
        (self.home / "Caddyfile").write_text(own)
        docker("cp", str(self.home / "Caddyfile"), f"{self.edge.container}:/etc/caddy/Caddyfile")
        self.edge.restart()

    def localized(self, text: str) -> str:
        for this, that in self.here.items():
            text = text.replace(this, that)
        return text

    def leave(self) -> None:
        """Let go of what still waits."""
        for _, process in self._waiting:
            process.kill()
            process.wait(10)
        self._waiting.clear()

    def _start(self, script: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.home, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdin is not None
        if "droplet add" in script:
            process.stdin.write("y\n")
        process.stdin.close()
        process.stdin = None
        return process

    def _until_asked(self) -> None:
        paused = {"flow_runs": {"state": {"type": {"any_": ["PAUSED"]}}}}
        command, process = self._waiting[0]
        asked = wait_until(
            lambda: self.prefect.ask("flow_runs/filter", paused) or process.poll() is not None,
            why=lambda: f"{command.where}: nobody was asked",
            pause=0.2,
        )
        assert asked is not True, f"{command.where}: it did not wait\n{process.communicate()[0]}"


def ended(command: Command, process: subprocess.Popen[str]) -> str:
    """Wait for a command, which must end as the page says; what it said."""
    try:
        said, _ = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == command.code, f"{command.where}: `{command.words}`: {process.returncode}\n{said}"
    return said
