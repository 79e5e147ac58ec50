"""A stack as it was read to be explained, made from what a compose file says."""

from typing import Any

from flows.core.explanation.reading import ReadStack
from flows.core.stack.files.shipped_files import EnvironmentFile, find_stack_files
from flows.core.stack.stack import Stack

DIRECTORY = "/p/s"
FILE = f"{DIRECTORY}/compose.yaml"


def read_stack_of(services: dict[str, Any], text: str = "services: {}", /, **more: Any) -> ReadStack:
    """A stack of these services.

    Args:
        text: its compose file.
        more: fields of the reading; `top`: further parts of the resolved stack; `written`: the services as they are
            written, where that is something else; `environment`: env files.
    """
    top, written = more.pop("top", {}), more.pop("written", services)
    environment: tuple[EnvironmentFile, ...] = more.pop("environment", ())
    spoken = {n: {"image": f"{n}:1", **spec} for n, spec in services.items() if not spec.get("profiles")}
    config = {"name": "shop", "services": spoken, **top}
    stack = Stack.from_config(config)
    texts = more.pop("texts", {FILE: text})
    return ReadStack(
        stack,
        find_stack_files(stack, DIRECTORY, tuple(texts), environment, texts.values()),
        DIRECTORY,
        config,
        {"services": written, **top},
        texts,
        **more,
    )
