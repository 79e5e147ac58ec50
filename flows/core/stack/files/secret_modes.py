"""The mode that each mount of a secret file has. A file has one, so a mount with another is given a copy."""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from flows.core.stack.stack import Stack

# As Swarm has secrets: whoever runs in a container may read one, and the directory around it is the owner's alone.
READABLE = 0o444
# An override replaces one secret of a service, by its target, from this version of Compose on (compose-go 2).
COPIES_NEED = "2.24.0"


class MountedSecret(BaseModel):
    """A secret file as a service mounts it: under which name, where, and with which mode."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    service: str
    secret: str
    target: str
    path: str
    mode: int

    @property
    def name(self) -> str:
        """What the secret is called that leads to the copy."""
        return f"slipway.{self.mode:04o}.{self.secret}"

    @property
    def place(self) -> str:
        """Where the copy stands below the directory that holds copies."""
        return f"{self.mode:04o}/{self.path}"


def mounted_secrets(stack: Stack) -> tuple[MountedSecret, ...]:
    """Every mount of a secret file; its mode is that of the service's entry, else everybody may read it."""
    return tuple(
        MountedSecret(
            service=service.name,
            secret=secret.name,
            target=secret.target,
            path=stack.secret_files[secret.name],
            mode=secret.mode or READABLE,
        )
        for service in stack.services.values()
        for secret in service.secrets
        if secret.name in stack.secret_files
    )


def modes_of(mounts: Iterable[MountedSecret]) -> dict[str, int]:
    """Secret file → the mode that it has in its place; where it is mounted with several, the largest."""
    modes: dict[str, int] = {}
    for mount in mounts:
        modes[mount.path] = max(modes.get(mount.path, 0), mount.mode)
    return modes


def copied(mounts: Iterable[MountedSecret], modes: Mapping[str, int]) -> tuple[MountedSecret, ...]:
    """The mounts that need a copy, because the file in its place has another mode."""
    return tuple(mount for mount in mounts if mount.mode != modes.get(mount.path, mount.mode))
