"""One release on its way to one droplet: what every step of a deploy works with."""

from collections.abc import Mapping

from blocks.ssh import Session
from flows.core import staging
from flows.core.bundle import File
from flows.core.layout import Home, release_name
from flows.core.release import Release
from flows.settings import Settings


class Deployment:
    """One release on its way to one droplet. Holds the connection and secrets, so it is no dataclass to be logged."""

    def __init__(
        self,
        session: Session,
        home: Home,
        release: Release,
        files: Mapping[str, File],
        variables: Mapping[str, str],
        secrets: Mapping[str, File],
        settings: Settings,
    ) -> None:
        self.session = session
        self.home = home
        self.release = release
        self.files = files
        self.variables = variables
        self.secrets = secrets
        self.settings = settings
        self.name = release_name(release.tag, staging.release_fingerprint(files, variables, secrets))
        self.compose = home.compose(release, home.current)

    @property
    def droplet(self) -> str:
        return self.session.address.name
