"""Errors of outside systems. A message says what happened, where, and the next command to run."""

from collections.abc import Callable
from typing import ClassVar


class OutsideError(Exception):
    """Base of all errors raised by `blocks`. `exit_code` is what the command line ends with."""

    exit_code = 1
    story = ""
    shown: ClassVar[Callable[[str], str]] = staticmethod(str)
    """What every text of an error goes through on its way out: state messages, logs, the terminal. Set once, by who
    knows the secrets."""

    def __str__(self) -> str:
        return OutsideError.shown("\n".join(part for part in (super().__str__(), self.story) if part))

    def add_story(self, story: str) -> None:
        """Add to the message what was done about it. Something was changed by then: it is no refusal any more."""
        self.story = "\n".join(part for part in (self.story, story) if part)
        self.exit_code = 1


class Unreachable(OutsideError):
    """An outside system cannot be reached, or the connection to it broke."""

    exit_code = 2


class CertificateRefused(OutsideError):
    """The certificate of an outside system is not to be trusted; nothing was sent."""

    exit_code = 2


class LoginRefused(OutsideError):
    """An outside system refused the user, key or password."""

    exit_code = 2


class HostKeyRefused(OutsideError):
    """The droplet's host key is not the pinned one, or none is pinned."""

    exit_code = 2


class NotEncrypted(OutsideError):
    """A login would go by http to another machine; nothing was sent."""

    exit_code = 2


class RemoteFailed(OutsideError):
    """A command on a droplet ended with another exit code than 0. Its error output is in the message."""

    def __init__(self, message: str, code: int, output: str) -> None:
        super().__init__(message)
        self.code = code
        self.output = output


class RemoteTimeout(OutsideError):
    """A command on a droplet took longer than its timeout, and was ended."""


class OutputTooLarge(OutsideError):
    """A command on a droplet printed more than any of ours does. Look at the droplet yourself: something is wrong."""


class NotInRegistry(OutsideError):
    """The registry does not have that manifest."""

    exit_code = 2


class RegistryFailed(OutsideError):
    """The registry answered with an error."""


class ProviderFailed(OutsideError):
    """Langfuse or Prometheus answered with an error, or not as it is described."""


class PrefectFailed(OutsideError):
    """Prefect's API answered with an error, or something else answers at its address."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status  # of its answer; 0: it is no such API


class SwitchMoved(OutsideError):
    """Somebody else moved the traffic switch since it was read; it was left as it is."""


class SwitchFailed(OutsideError):
    """The traffic switch could not be read or turned."""


class ApiFailed(OutsideError):
    """DigitalOcean's API answered with an error, or not as it is described."""

    def __init__(self, message: str, status: int = 0, id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.id = id


class NotAtDigitalOcean(ApiFailed):
    """The DigitalOcean account has no resource of that name or id."""

    exit_code = 2


class RegistryFull(OutsideError):
    """The registry's plan has no room for what was to be pushed."""

    exit_code = 2


class TokenRefused(LoginRefused):
    """DigitalOcean refuses the token: mistyped, expired, revoked, or without the scope that a call needs."""


class RateLimited(ApiFailed):
    """The account's limit of requests is used up for longer than we wait."""


class AnswerLost(ApiFailed):
    """A call that must not be made twice may have taken effect: its answer was lost. Look before asking again."""


class ActionFailed(ApiFailed):
    """An action of DigitalOcean's ended with an error."""


class ActionUnfinished(ApiFailed):
    """An action of DigitalOcean's did not end within the time it was given."""
