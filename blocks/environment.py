"""What a stack's variables, env files and secret files hold. It never travels with a release."""

import posixpath

from prefect.blocks.core import Block
from prefect.types import SecretDict
from pydantic import Field


class StackEnvironment(Block):
    """
    The values a stack runs with on its droplets: saved under the name of the stack (`name:` in its compose file).

    Example:
        ```python
        from blocks import StackEnvironment

        StackEnvironment(
            variables={"BIND_ADDRESS": "10.0.0.5"},
            files={"agent.env": "LOG_LEVEL=info", "secrets/db_password.txt": "…"},
        ).save("shop", overwrite=True)
        ```
    """

    _block_type_name = "Slipway Stack Environment"
    _block_type_slug = "slipway-stack-environment"
    _description = "What a stack's variables, env files and secret files hold."

    variables: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        title="Variables",
        description="Values of the compose file's ${VARIABLES}.",
    )
    files: SecretDict = Field(
        default_factory=lambda: SecretDict({}),
        title="Files",
        description="Path → content of env files and secret files; paths as the compose file has them.",
    )

    def values(self) -> dict[str, str]:
        """The variables, unmasked, as text."""
        return {name: str(value) for name, value in self.variables.get_secret_value().items()}

    def contents(self) -> dict[str, str]:
        """Normal path (relative to the compose file's directory) → content, unmasked."""
        return {posixpath.normpath(path): str(text) for path, text in self.files.get_secret_value().items()}

    def reach(self) -> str:
        """Return in words what it holds (names only)."""
        names = [*sorted(self.values()), *sorted(self.contents())]
        return f"environment {self._block_document_name or ''}: {', '.join(names) or 'empty'}"
