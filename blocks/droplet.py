"""The Droplet block: a host with Docker Engine and Compose v2, reached by SSH."""

import base64
import contextlib
import socket

import paramiko
from prefect.blocks.core import Block
from pydantic import Field, HttpUrl, PrivateAttr, SecretStr

from blocks.errors import HostKeyRefused
from blocks.ssh.keys import SshTarget, key_fingerprint
from blocks.ssh.session import Session


class Droplet(Block):
    """
    A host with Docker Engine and Compose v2: its address, the key that opens it, and its pinned host key.

    Nothing of Slipway is installed there.

    Example:
        ```python
        from blocks import Droplet

        droplet = Droplet.load("BLOCK_NAME")
        with droplet.session() as session:
            print(session.run(["docker", "version"], timeout=30).out)
        ```
    """

    _block_type_name = "Slipway Droplet"
    _block_type_slug = "slipway-droplet"
    _logo_url = HttpUrl(
        "https://cdn.sanity.io/images/3ugk85nk/production/14a315b79990200db7341e42553e23650b34bb96-250x250.png"
    )
    _documentation_url = HttpUrl("https://docs.docker.com/engine/install/")
    _description = "A host with Docker Engine and Compose v2, reached by SSH with a pinned host key."

    host: str = Field(title="Host", description="Name or address of the droplet.")
    port: int = Field(22, title="SSH port", ge=1, le=65535, description="Port of its SSH server.")
    user: str = Field("root", title="User", description="The user we log in as; needs the right to use Docker.")
    private_key: SecretStr = Field(title="Private key", description="OpenSSH or PEM private key, without a passphrase.")
    host_key: str = Field(
        "",
        title="Pinned host key",
        description="The droplet's public host key, `TYPE BASE64`. Any other key is refused. "
        "`slipway droplet pin NAME` reads it and asks.",
    )
    directory: str = Field(
        "/opt/slipway",
        title="Directory",
        pattern=r"^/\S+$",
        description="Where releases are kept on the droplet.",
    )

    _part: str = PrivateAttr("")

    @property
    def block(self) -> str:
        """The name of the block."""
        return self._block_document_name or self.host

    @property
    def part(self) -> str:
        """Which part of a stack is meant, on a droplet that has several: green, blue or home; else ''."""
        return self._part

    @property
    def name(self) -> str:
        """The block's name, with the part behind a slash where one is meant."""
        return f"{self.block}/{self._part}" if self._part else self.block

    def at(self, part: str) -> "Droplet":
        """The same droplet, of which one part of a stack is meant."""
        found = self.model_copy()
        found._part = part
        return found

    @property
    def address(self) -> SshTarget:
        return SshTarget(name=self.block, host=self.host, port=self.port, user=self.user, host_key=self.host_key)

    def session(self, timeout: float = 15.0) -> Session:
        """An SSH session, to be used as a context manager. Raises what `Session` raises."""
        return Session(self.address, self.private_key.get_secret_value(), timeout)

    def reach(self) -> str:
        """A sentence for the terminal: that it is reached, and by which engine.

        Raises:
            Unreachable, LoginRefused, HostKeyRefused
        """
        with self.session() as session:
            answer = session.run("docker version --format '{{.Server.Version}}'", timeout=30, check=False)
        engine = answer.out.strip()
        return f"{self.address}: " + (f"Docker Engine {engine}" if engine else "reached, but no Docker Engine answers")

    def seen_host_key(self, timeout: float = 15.0) -> tuple[str, str]:
        """Ask the droplet for its host key without trusting it: (`TYPE BASE64`, fingerprint)."""
        probe = self.address
        with contextlib.ExitStack() as stack:
            try:
                # Paramiko itself would connect without a limit.
                transport = paramiko.Transport(socket.create_connection((probe.host, probe.port), timeout))
                stack.callback(transport.close)
                transport.start_client(timeout=timeout)
                key = transport.get_remote_server_key()
            except (paramiko.SSHException, OSError, EOFError) as error:
                raise HostKeyRefused(f"{probe} shows no host key: {error or 'it closed the connection'}") from None
        return f"{key.get_name()} {base64.b64encode(key.asbytes()).decode()}", key_fingerprint(key)
