"""One release on its way to one droplet: what every step of a deploy or a rollback works with."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flows.core.deploy.files import staging
from flows.core.deploy.files.staging import StagedRelease
from flows.core.droplet.directories import StackDirectory, release_name
from flows.core.droplet.places import split_place
from flows.core.release.bundle import File, ReleaseFiles
from flows.core.release.release import Release, content_hash
from flows.core.secrets.release_environment import OWN
from flows.core.stack.env_files import render
from flows.core.traffic.colours import Colour
from flows.tasks.droplet.lock import LockedSession
from flows.tasks.droplet.target import Target
from flows.tasks.runs.context import DropletAtWork, extended_context


class ReleasePayload:
    """What is put on a droplet for a release: its files, and the environment. Holds secrets, so it is no dataclass."""

    def __init__(
        self,
        files: ReleaseFiles,
        variables: Mapping[str, str],
        secrets: Mapping[str, File],
        role: Mapping[str, Any] | None = None,
    ) -> None:
        self.files = files
        self.variables = variables
        self.secrets = secrets
        self.role = role or {}
        self._staged: StagedRelease | None = None

    def staged(self, release: Release, directory: StackDirectory) -> StagedRelease:
        """What the release's directory on a droplet will hold."""
        if self._staged is None:
            self._staged = staging.staged_release(
                release, self.files, self.variables, self.secrets, directory, self.role
            )
        return self._staged

    @property
    def environment(self) -> str:
        """A hash of what the environment holds: the same values, the same hash, whatever release they are for."""
        held = {f"s/{name}": file.content for name, file in self.secrets.items()}
        given = {name: value for name, value in self.variables.items() if name not in OWN}
        return content_hash({**held, "environment": render(given)})

    def name(self, tag: str) -> str:
        """The directory of a release with this payload."""
        return release_name(tag, staging.release_fingerprint(self.files.own, self.variables, self.secrets))


class Deployment:
    """One release and the droplet it goes to, under the droplet's lock."""

    def __init__(self, session: LockedSession, target: Target, release: Release, name: str) -> None:
        self.session = session
        self.droplet = target.name
        self.directory = target.directory
        self.settings = target.settings
        self.release = release
        self.name = name
        self.compose = target.directory.compose(release, target.directory.current)

    @property
    def colour_beside(self) -> Colour | None:
        """The colour that this is, where the other one is on the same droplet."""
        part = split_place(self.droplet)[1]
        return None if part is None or part == "home" else part

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Lets failure hooks of steps find the droplet for as long as this is open."""
        with extended_context(at_work=DropletAtWork(self.session, self.directory, self.settings)):
            yield
