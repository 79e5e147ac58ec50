"""Copies of the sample stack, each in a git repository and under a project name of its own."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import run

SOURCE = Path(__file__).resolve().parents[1] / "compose"
_ONE_SERVICE = "agents/services/code_review.py"
_FRONT = "agents/services/gateway_mcp.py"
_EVERY_SERVICE = "agents/common/app.py"
_BROKEN = 'raise RuntimeError("broken on purpose")\n'
_GIT = ["git", "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost", "-c", "commit.gpgsign=false"]


@dataclass(frozen=True)
class Sample:
    """One copy: its directory and its project name."""

    directory: Path
    project: str

    def change_one_service(self) -> str:
        """Add one line to one service and commit it; returns the new tag."""
        return self._change(_ONE_SERVICE)

    def change_front(self) -> str:
        """Add one line to the service that traffic reaches, and commit it; returns the new tag."""
        return self._change(_FRONT)

    def change_every_service(self) -> str:
        """Add one line to what all services share, and commit it; returns the new tag."""
        return self._change(_EVERY_SERVICE)

    def break_one_service(self) -> str:
        """Change what all services share, and let one of them end at its start; returns the new tag."""
        file = self.directory / _ONE_SERVICE
        file.write_text(file.read_text() + _BROKEN)
        return self.change_every_service()

    def mend(self) -> str:
        """Take out what `break_one_service` broke; returns the new tag."""
        file = self.directory / _ONE_SERVICE
        file.write_text(file.read_text().replace(_BROKEN, ""))
        return self._commit(f"Mend {_ONE_SERVICE}")

    def tag(self) -> str:
        """The short commit, which Slipway takes by default."""
        return run(["git", "rev-parse", "--short", "HEAD"], cwd=self.directory).strip()

    def _change(self, path: str) -> str:
        file = self.directory / path
        text = file.read_text()
        file.write_text(f"{text}# benchmark: change {text.count('# benchmark')}\n")
        return self._commit(f"Change {path}")

    def _commit(self, message: str) -> str:
        run([*_GIT, "add", "--all"], cwd=self.directory)
        run([*_GIT, "commit", "--quiet", "--message", message], cwd=self.directory)
        return self.tag()


def copy_sample(place: Path, project: str) -> Sample:
    """Copy the production form of the sample stack into `place`/`project`, as a repository with one commit."""
    sample = Sample(place / project, project)
    ignored = shutil.ignore_patterns("__pycache__", "lab", ".env", "*.override.yml")
    shutil.copytree(SOURCE, sample.directory, ignore=ignored)
    file = sample.directory / "docker-compose.yml"
    file.write_text(file.read_text().replace("\nname: agents\n", f"\nname: {project}\n", 1))
    run(["git", "init", "--quiet"], cwd=sample.directory)
    sample._commit("Begin")
    return sample
