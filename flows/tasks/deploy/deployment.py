"""One release on its way to one droplet: what every step of a deploy or a rollback works with."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from flows.core.deploy import staging
from flows.core.droplet.directories import StackDirectory, release_name
from flows.core.release.bundle import File
from flows.core.release.release import Release, content_hash
from flows.core.secrets.release_environment import OWN
from flows.core.stack.env_files import render
from flows.settings import Settings
from flows.tasks.droplet.lock import LockedSession

# What is being changed in this run: failure hooks of tasks have nothing else to go by.
current_deployment: ContextVar["Deployment | None"] = ContextVar("deployment_under_way", default=None)


class ReleasePayload:
    """What is put on a droplet for a release: its files, and the environment. Holds secrets, so it is no dataclass."""

    def __init__(
        self,
        files: Mapping[str, File],
        variables: Mapping[str, str],
        secrets: Mapping[str, File],
        role: Mapping[str, Any] | None = None,
    ) -> None:
        self.files = files
        self.variables = variables
        self.secrets = secrets
        self.role = role or {}

    @property
    def environment(self) -> str:
        """A hash of what the environment holds: the same values, the same hash, whatever release they are for."""
        held = {f"s/{name}": file.content for name, file in self.secrets.items()}
        given = {name: value for name, value in self.variables.items() if name not in OWN}
        return content_hash({**held, "environment": render(given)})

    def name(self, tag: str) -> str:
        """The directory of a release with this payload."""
        return release_name(tag, staging.release_fingerprint(self.files, self.variables, self.secrets))


class Deployment:
    """One release and the droplet it goes to, with the droplet's lock."""

    def __init__(
        self, session: LockedSession, directory: StackDirectory, release: Release, name: str, settings: Settings
    ) -> None:
        self.session = session
        self.home = directory
        self.release = release
        self.name = name
        self.settings = settings
        self.compose = directory.compose(release, directory.current)

    @property
    def droplet(self) -> str:
        return self.session.address.name
