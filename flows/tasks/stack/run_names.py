"""Names of runs: sentences a person can scan in the Prefect UI, with defaults in place of what was not given."""

from collections.abc import Callable
from typing import Any

from prefect import runtime

from flows.core.errors import SlipwayError
from flows.settings import Settings
from flows.settings.choice import chosen
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.source import default_tag


def run_name(sentence: str) -> Callable[[], str]:
    """A Prefect `flow_run_name` that fills {stack}, {tag}, {droplet} and what else is given into the sentence."""

    def name() -> str:
        given = {key: value for key, value in runtime.flow_run.parameters.items() if value is not None}
        with chosen(str(given.get("destination", "")), str(given.get("stack", ""))):
            return filled(given)

    def filled(given: dict[str, Any]) -> str:
        settings = _settings()
        stack = given.get("stack", settings.stack)
        droplet = "the idle colour" if given.get("promote") else given.get("droplet", settings.deployed_to)
        words = {**{key: str(value) for key, value in given.items()}, "droplet": droplet, "tag": given.get("tag", "")}
        words["stack"] = stack
        try:
            words["stack"] = stack_name(stack)
            if "{tag}" in sentence and not words["tag"]:
                words["tag"] = default_tag(stack)
        except (SlipwayError, OSError, ValueError):
            pass  # the flow itself says what is wrong
        to = given.get("destination") or settings.destination
        return f"{sentence.format_map(words)} ({to})" if to else sentence.format_map(words)

    return name


def _settings() -> Settings:
    """The settings for a name; where they cannot be read, the operator's: the flow itself says what is wrong."""
    try:
        return Settings()
    except SlipwayError:
        with chosen(anywhere=True):
            return Settings()
