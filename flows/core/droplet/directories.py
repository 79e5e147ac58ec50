"""The directories of a stack on a droplet: one for each release, and those that outlive releases.

DIRECTORY/
    lock  lock.holder  lock.busy   one changes the droplet at a time (core/droplet/lock.py)
DIRECTORY/STACK/
    current -> releases/NAME
    history/000007.json     one record for each time a release was put here (core/records/record.py)
    releases/NAME/          release.json  override.yml  environment  secrets.yml  compose  config.yml  tree.json
                            files/…   seed/…: what it brings to shared/
                            secrets/MODE/…: secret files that are mounted with more than one mode
    shared/                 what services write to on relative paths
    bringing                while a release's files are brought there: its name
    incoming/               a release on its way; never started from
    asleep                  while the release is asleep: which one, and what ran (core/droplet/asleep.py)
    lock  lock.holder  lock.busy   one turns traffic here, or puts it to sleep, at a time
"""

import posixpath
from dataclasses import dataclass

from flows.core.droplet.docker_commands import Compose
from flows.core.release.bundle import FILES, OVERRIDE
from flows.core.release.release import Release

ENVIRONMENT = "environment"
SECRETS = "secrets.yml"
COPIES = "secrets"
COMMAND = "compose"
RESOLVED = "config.yml"
# While files are brought to what services write to: the release that they come from.
BRINGING = "bringing"
# Below Slipway's directory: what was adopted, and so the way back.
ADOPTED = ".adopted"


@dataclass(frozen=True)
class StackDirectory:
    """A stack's directory on a droplet."""

    directory: str
    stack: str

    @property
    def path(self) -> str:
        return posixpath.join(self.directory, self.stack)

    @property
    def current(self) -> str:
        return posixpath.join(self.path, "current")

    @property
    def history(self) -> str:
        return posixpath.join(self.path, "history")

    @property
    def shared(self) -> str:
        return posixpath.join(self.path, "shared")

    @property
    def asleep(self) -> str:
        return posixpath.join(self.path, "asleep")

    def release(self, name: str) -> str:
        return posixpath.join(self.path, "releases", name)

    def incoming(self, name: str) -> str:
        return posixpath.join(self.path, "incoming", name)

    def compose(self, release: Release, at: str, *, digests: bool = True) -> Compose:
        """`docker compose` for a release whose files stand below `at`.

        From `current` the paths stay the same from release to release, so that only services that changed restart.
        """
        files = [posixpath.join(at, FILES, file) for file in release.compose_files]
        if digests:
            files += [posixpath.join(at, OVERRIDE), posixpath.join(at, SECRETS)]
        return Compose(
            project=release.stack,
            files=tuple(files),
            profiles=release.profiles,
            env_file=posixpath.join(at, ENVIRONMENT),
            clean=True,
        )


def release_name(tag: str, fingerprint: str) -> str:
    """The name of a release directory: the tag, and a hash of what was put there (release and environment)."""
    return f"{tag}.{fingerprint}"
