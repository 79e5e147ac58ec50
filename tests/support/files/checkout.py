"""A checkout for tests of what ships: files, the stack that mounts them, and what its environment block holds."""

import logging
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from flows.core.release.shipment import Shipment
from flows.core.stack.files.shipped_files import EnvironmentFile, StackFiles, find_stack_files
from flows.settings import Settings
from flows.tasks.release.files import listing
from flows.tasks.stack.given_files import settle_given_files
from flows.tasks.stack.source import Source
from tests.support.builders import stack

GIT = ["git", "-c", "user.name=tests", "-c", "user.email=tests@example.com", "-c", "init.defaultBranch=main"]


@dataclass
class Checkout:
    """A directory with a compose file.

    Args:
        mounts: as `volumes:` has them, such as `./conf:/conf:ro`; all of one service.
        env_files: those of that service.
        held: what the environment block holds.
    """

    root: Path
    mounts: list[str]
    env_files: list[str] = field(default_factory=list)
    held: dict[str, bytes] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def write(self, path: str, content: bytes | str = b"x", mode: int = 0o644) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)
        return file

    def git(self, *words: str) -> None:
        subprocess.run([*GIT, "-C", self.root, *words], check=True, capture_output=True)

    def commit(self, *paths: str) -> None:
        """Make it a git checkout in which these paths are tracked; all when none is named."""
        self.git("init", "-q")
        self.git("add", "-f", *(paths or ["-A"]))
        self.git("commit", "-q", "-m", "x", "--allow-empty")

    @property
    def text(self) -> str:
        return "\n".join(["a:", *(f"  - '{mount}'" for mount in self.mounts)])

    def source(self, settings: Settings) -> Source:
        project = str(self.root)
        binds = []
        for mount in self.mounts:
            source, target, *options = mount.split(":")
            path = os.path.normpath(os.path.join(project, source))
            binds.append({"type": "bind", "source": path, "target": target, "read_only": "ro" in options})
        files = {name: {"file": os.path.join(project, path)} for name, path in self.secrets.items()}
        resolved = stack({"app": {"volumes": binds, "secrets": list(self.secrets)}}, secrets=files)
        compose = os.path.join(project, "compose.yaml")
        Path(compose).write_text(self.text)
        entries = [EnvironmentFile(path=os.path.normpath(os.path.join(project, path))) for path in self.env_files]
        found = find_stack_files(resolved, project, (compose,), entries, [self.text])
        held = {os.path.normpath(os.path.join(project, path)) for path in self.held}
        sources: StackFiles = settle_given_files(found, held, settings)
        return Source(resolved, sources, {compose: self.text}, {}, (compose,), None)

    def list(self, monkeypatch, **settings) -> Shipment:
        """What would ship; what the run said about it is in `said`."""

        class Log(logging.Handler):
            def emit(log, record: logging.LogRecord) -> None:  # noqa: N805
                self.said.append((record.levelname.lower(), record.getMessage()))

        logger = logging.Logger("test")
        logger.addHandler(Log())
        monkeypatch.setattr(listing, "get_run_logger", lambda: logger)
        monkeypatch.setattr(listing, "table", lambda *_: None)
        chosen = Settings(**settings)
        return listing.list_files.fn(self.source(chosen), self.held, chosen)

    def shipped(self, monkeypatch, **settings) -> set[str]:
        """The names below the release's directory of the files that would ship."""
        tree = self.list(monkeypatch, **settings).tree
        return {name for name, entry in tree.items() if entry.kind == "file"}
