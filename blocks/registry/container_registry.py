"""The ContainerRegistry block: where the stack's images and releases are published."""

import base64
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from prefect_docker import DockerRegistryCredentials
from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator

from blocks.http import tls
from blocks.registry.client import RegistryClient

# Where Go looks for certificates on Linux unless SSL_CERT_DIR says otherwise (crypto/x509, root_linux.go).
_GO_DIRECTORIES = "/etc/ssl/certs:/etc/pki/tls/certs"


class ContainerRegistry(DockerRegistryCredentials):  # type: ignore[misc]
    """
    A container registry: the login, and how the images of a stack are laid out in it.

    It extends prefect-docker's DockerRegistryCredentials (`username`, `password`, `registry_url`), and can be used
    wherever prefect-docker takes that.

    Example:
        ```python
        from blocks import ContainerRegistry

        registry = ContainerRegistry.load("BLOCK_NAME")
        print(registry.reach())
        ```
    """

    _block_type_name = "Slipway Container Registry"
    _block_type_slug = "slipway-container-registry"
    _documentation_url = HttpUrl("https://docs.docker.com/reference/cli/docker/login/")
    _description = "A container registry, its login, and how the images of a stack are laid out in it."

    namespace: str = Field(
        "",
        title="Namespace",
        pattern=r"^[a-z0-9._/-]*$",
        description="The part of an image's name between the host and the service.",
    )
    layout: Literal["repository-per-service", "single-repository"] = Field(
        "repository-per-service",
        title="Layout",
        description="One repository a service, or one for all with `service-tag` tags (plans that bill by repository).",
    )
    repository: str = Field(
        "",
        title="Repository",
        description="The repository of the layout `single-repository`; the others leave it out.",
    )

    pull_username: str = Field(
        "", title="User that pulls", description="A user that may only read: droplets log in as it. Else as the first."
    )
    pull_password: SecretStr = Field(
        SecretStr(""), title="Password of the user that pulls", description="The password or token of that user."
    )
    ca_certificate: str = Field(
        "",
        title="CA certificate",
        description="Certificates (PEM) of the authority that signed the registry's own, where no public one did.",
    )

    @field_validator("ca_certificate")
    @classmethod
    def _is_certificate(cls, given: str) -> str:
        if "PRIVATE KEY" in given:
            raise ValueError("it holds a private key: give the certificate alone")
        tls.context(given)
        return given

    @model_validator(mode="after")
    def _repository_named(self) -> "ContainerRegistry":
        if self.layout == "single-repository" and not self.repository:
            raise ValueError("layout single-repository needs `repository`")
        return self

    @model_validator(mode="after")
    def _pulls_with_a_password(self) -> "ContainerRegistry":
        if bool(self.pull_username) != bool(self.pull_password.get_secret_value()):
            raise ValueError("`pull_username` and `pull_password` go together")
        return self

    @property
    def host(self) -> str:
        """`registry.example.com`, without scheme or slash."""
        return str(self.registry_url).split("://")[-1].rstrip("/")

    @property
    def single_repository(self) -> str:
        return self.repository if self.layout == "single-repository" else ""

    def login(self, *, write: bool) -> tuple[str, str]:
        """User and password; unless `write`, those of the user that may only read, where there is one.

        A droplet is given nothing else: with a login that may push, one droplet could decide what all others run.
        """
        if not write and self.pull_username:
            return self.pull_username, self.pull_password.get_secret_value()
        return self.username, self.password.get_secret_value()

    def renew(self, *, write: bool) -> tuple[str, str] | None:
        """Another login after one that was refused, or None."""
        return None

    def check_room(self, repositories: Collection[str]) -> None:
        """Check that there is room for a release that needs these repositories. Raises RegistryFull."""

    def wait_writable(self, within: float, tell: Callable[[str], None]) -> float:
        """Wait, at most `within` seconds, until it is not read-only. Returns how long, 0 when it was not."""
        return 0.0

    def client(self, *, write: bool = True) -> RegistryClient:
        """A client of the registry's API, to be used as a context manager."""
        username, password = self.login(write=write)
        return RegistryClient(
            self.host, username, password, renew=lambda: self.renew(write=write), authority=self.ca_certificate
        )

    def reach(self) -> str:
        """A sentence for the terminal: that the registry takes our login, and that of the user that pulls.

        Raises:
            Unreachable, CertificateRefused, LoginRefused
        """
        with self.client() as client:
            client.check()
        if not self.pull_username:
            return f"registry {self.host}: login as {self.username} accepted"
        with self.client(write=False) as client:
            client.check()
        return f"registry {self.host}: logins as {self.username} and, to pull, {self.pull_username} accepted"

    @contextmanager
    def docker_config(self) -> Iterator[dict[str, str]]:
        """Environment variables for the docker client: a private configuration directory that is logged in here.

        It is removed at the end. The user's own logins, plugins and contexts still count; a credential store does not,
        because the client would then ignore (or be asked to keep) our login. The client, which asks the registry itself
        where it copies an image, is told of the authority of its certificate; an engine is told by its administrator.
        """
        own = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
        config = _read(own / "config.json")
        config.pop("credsStore", None)
        config["credHelpers"] = {name: h for name, h in (config.get("credHelpers") or {}).items() if name != self.host}
        secret = ":".join(self.login(write=True)).encode()
        config["auths"] = {**(config.get("auths") or {}), self.host: {"auth": base64.b64encode(secret).decode()}}
        # The name and the lock: flows/tasks/private_directory.py removes what a killed run leaves.
        directory = Path(tempfile.mkdtemp(prefix="slipway-docker-", suffix=".held"))
        used = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(used, fcntl.LOCK_EX)
            for kept in ("cli-plugins", "contexts", "buildx"):
                if (own / kept).exists():
                    (directory / kept).symlink_to(own / kept)
            descriptor = os.open(directory / "config.json", os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(config, file)
            yield {"DOCKER_CONFIG": str(directory), **self._trusted_by_client(directory / "authority")}
        finally:
            shutil.rmtree(directory, ignore_errors=True)
            os.close(used)

    def _trusted_by_client(self, directory: Path) -> dict[str, str]:
        """Environment variables by which a client written in Go trusts our authority beside those of the machine."""
        if not self.ca_certificate:
            return {}
        directory.mkdir()
        (directory / "ca.crt").write_text(self.ca_certificate)
        return {"SSL_CERT_DIR": f"{os.environ.get('SSL_CERT_DIR') or _GO_DIRECTORIES}:{directory}"}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
