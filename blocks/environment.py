"""The StackEnvironment block: values of a stack's variables, env files and secret files. Never part of a release."""

import base64
import posixpath
from typing import Any

from prefect.blocks.core import Block
from prefect.types import SecretDict
from pydantic import Field, HttpUrl


class StackEnvironment(Block):
    """
    The variables, env files and secret files that a stack runs with on its droplets.

    It is saved under the name of the stack (`name:` in its compose file).

    Example:
        ```python
        from blocks import StackEnvironment

        environment = StackEnvironment.load("BLOCK_NAME")
        print(environment.reach())
        ```
    """

    _block_type_name = "Slipway Stack Environment"
    _block_type_slug = "slipway-stack-environment"
    _logo_url = HttpUrl(
        "https://cdn.sanity.io/images/3ugk85nk/production/14a315b79990200db7341e42553e23650b34bb96-250x250.png"
    )
    _documentation_url = HttpUrl("https://docs.docker.com/compose/how-tos/environment-variables/")
    _description = "The variables, env files and secret files that a stack runs with."

    variables: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        title="Variables",
        description="Values of the compose file's ${VARIABLES}.",
    )
    files: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        title="Files",
        description="Path → content of env files and secret files; paths as the compose file has them. What is no text "
        'is held as {"base64": …}.',
    )

    def values(self) -> dict[str, str]:
        """The variables, unmasked, as text."""
        return {name: str(value) for name, value in self.variables.get_secret_value().items()}

    def contents(self) -> dict[str, bytes]:
        """Normal path (relative to the compose file's directory) → content, unmasked."""
        return {posixpath.normpath(path): _content(held) for path, held in self.files.get_secret_value().items()}

    def texts(self) -> dict[str, str]:
        """The same as text, for masking: what is no UTF-8 is replaced."""
        return {path: content.decode(errors="replace") for path, content in self.contents().items()}

    def reach(self) -> str:
        """A sentence for the terminal: the names of what it holds, without values."""
        names = [*sorted(self.values()), *sorted(self.contents())]
        return f"environment {self._block_document_name or ''}: {', '.join(names) or 'empty'}"


def held_content(content: bytes) -> str | dict[str, str]:
    """A file's content as the block holds it: text as it is, anything else as base64."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    return {"base64": base64.b64encode(content).decode()} if "\0" in text else text


def _content(held: Any) -> bytes:
    if isinstance(held, dict) and set(held) == {"base64"}:
        return base64.b64decode(held["base64"])
    return str(held).encode()
