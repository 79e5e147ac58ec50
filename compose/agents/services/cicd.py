"""cicd: a pipeline that installs, checks, tests and builds a project, for the platform that will run it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from agents.common.app import Agent
from agents.common.fields import Fields


class Toolchain(NamedTuple):
    """What a language's projects run: its image, its set-up action and input, and the commands of each stage."""

    image: str
    action: str
    version: dict[str, str]
    install: str
    lint: str
    test: str


TOOLCHAINS = {
    "python": Toolchain(
        "python:3.13-slim",
        "actions/setup-python@v5",
        {"python-version": "3.13"},
        "pip install -e '.[dev]'",
        "ruff check .",
        "pytest",
    ),
    "node": Toolchain(
        "node:22-slim", "actions/setup-node@v4", {"node-version": "22"}, "npm ci", "npm run lint", "npm test"
    ),
    "go": Toolchain(
        "golang:1.24", "actions/setup-go@v5", {"go-version": "1.24"}, "go mod download", "go vet ./...", "go test ./..."
    ),
}
LANGUAGES = {**TOOLCHAINS, "javascript": TOOLCHAINS["node"], "typescript": TOOLCHAINS["node"]}

agent = Agent("cicd")


@agent.workflow("POST", "/generate-pipeline")
def generate(fields: Fields) -> dict[str, Any]:
    """The pipeline for ``language`` on ``platform``, with the path it belongs at."""
    filename, make = PLATFORMS[(platform := fields.choice("platform", PLATFORMS, "github-actions"))]
    language = fields.choice("language", LANGUAGES)
    import yaml  # noqa: PLC0415 - not needed to start

    pipeline = yaml.safe_dump(make(LANGUAGES[language]), sort_keys=False)
    return {"pipeline": pipeline, "platform": platform, "language": language, "file": filename}


def github(tools: Toolchain) -> dict[str, Any]:
    """One job; a newer push to the same branch cancels the older run."""
    return {
        "name": "ci",
        "on": {"push": {"branches": ["main"]}, "pull_request": {}},
        "permissions": {"contents": "read"},
        "concurrency": {"group": "ci-${{ github.ref }}", "cancel-in-progress": True},
        "jobs": {
            "check": {
                "runs-on": "ubuntu-latest",
                "timeout-minutes": 15,
                "steps": [
                    {"uses": "actions/checkout@v4"},
                    {"uses": tools.action, "with": tools.version},
                    {"name": "Install", "run": tools.install},
                    {"name": "Lint", "run": tools.lint},
                    {"name": "Test", "run": tools.test},
                ],
            }
        },
    }


def gitlab(tools: Toolchain) -> dict[str, Any]:
    """Lint and test as two jobs of two stages."""
    return {
        "stages": ["lint", "test"],
        "default": {"image": tools.image, "before_script": [tools.install], "timeout": "15 minutes"},
        "lint": {"stage": "lint", "script": [tools.lint]},
        "test": {"stage": "test", "script": [tools.test]},
    }


PLATFORMS: dict[str, tuple[str, Callable[[Toolchain], dict[str, Any]]]] = {
    "github-actions": (".github/workflows/ci.yml", github),
    "gitlab": (".gitlab-ci.yml", gitlab),
}
app = agent.app()
