"""Base classes of all errors, and the refusals that belong to no one subject."""

from collections.abc import Callable
from typing import ClassVar


class SlipwayError(Exception):
    """Base of all errors raised by `flows`.

    `exit_code` is what the command line ends with: 2 for input that was refused before anything changed, 3 for a
    promotion that was not approved, 1 for work that was begun and did not succeed. `story` tells, below the
    message, what was done about it.
    """

    exit_code = 1
    story = ""
    shown: ClassVar[Callable[[str], str]] = staticmethod(str)
    """What every text of an error goes through on its way out: state messages, logs, the terminal. Set once, by who
    knows the secrets."""

    def __str__(self) -> str:
        return SlipwayError.shown("\n".join(part for part in (super().__str__(), self.story) if part))

    def add_story(self, story: str) -> None:
        """Add what was done about it. Something was changed by then, so it is not a refusal any more."""
        self.story = "\n".join(part for part in (self.story, story) if part)
        self.exit_code = 1


class Refused(SlipwayError):
    """The input cannot be worked with; nothing was built, pushed or changed on a droplet."""

    exit_code = 2


class BadSettings(Refused):
    """A setting, a parameter or the settings file cannot be read."""


class OperatorSetting(Refused):
    """A settings file that comes with a stack says what only the worker's operator may say."""


class UnknownDestination(Refused):
    """A destination was named that no settings file defines."""


class DestinationNeeded(Refused):
    """Several destinations are defined, and none of them was chosen."""


class SharedDroplet(Refused):
    """Two destinations mean the same droplet for the same stack."""


class BlockMissing(Refused):
    """A Prefect block that is needed was never saved."""


class ConflictingOptions(Refused):
    """Options were given that exclude each other."""


class DirectoryNotOurs(SlipwayError):
    """A directory of this host that reports are written to is another user's, or can be written by everybody."""


class TemplateEnded(SlipwayError):
    """The process that a worker forks its runs from ended before it could start one."""


class StartRefused(SlipwayError):
    """The process that a worker forks its runs from was asked for something it does not do."""
