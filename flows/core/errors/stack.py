"""Refusals and failures of the stack or the files it is made of."""

from flows.core.errors.base import Refused, SlipwayError


class StackNotFound(Refused):
    """There is no compose file at the given path."""


class BrokenStack(Refused):
    """Compose cannot read the stack; the message carries Compose's own words."""


class ReadingsDiffer(Refused):
    """This host and a droplet resolve one stack to two different ones; the message names each field."""


class FileChanged(SlipwayError):
    """A file of the checkout was written by somebody else while a change of it was being asked for; it was left."""


class BadExtension(Refused):
    """An `x-slipway` field does not fit its model; the message names service and field."""


class UnknownService(Refused):
    """A service was named that the stack does not have."""


class UnsetVariables(Refused):
    """The compose files use variables that have no value."""


class MissingEnvironmentFile(Refused):
    """An env file or a secret file of the stack is in neither the environment block nor the source."""


class UnsupportedField(Refused):
    """The stack has what no release can carry: a provider, a model, an image that is no service's; with its line."""


class DevelopmentOnly(Refused):
    """The stack resolves to a source mount or a reload flag; the message names the line."""


class StateUndeclared(Refused):
    """A service keeps state, and the stack does not say where it lives."""


class NotSideBySide(Refused):
    """Two colours of the stack cannot run on one droplet; the message names each reason, its line, and the choices."""


class UnreadableFile(Refused):
    """A file that would ship cannot be read, or changed while it was read."""


class ReleaseTooLarge(Refused):
    """The files that would ship are more, or larger, than the settings allow."""


class CredentialFound(Refused):
    """A file that would be published looks like a credential; the message names each, and the choices."""


class OutsideSource(Refused):
    """A file lies outside the directories that it may come from, and would be published, or a run names it."""


class LinkLeadsOut(Refused):
    """A link in a mounted directory leads out of what is mounted; the message names each, and the choices."""
