"""The target of a run: a droplet, the stack's directory on it, and the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from blocks import Droplet
from blocks.ssh.session import Session
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.places import split_place
from flows.core.release.role import home_stack, part_stack, whole_stack
from flows.settings import Settings
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.lock import LockedSession, locked
from flows.tasks.runs.blocks import load_droplet
from flows.tasks.stack.project import stack_name


@dataclass(frozen=True)
class Target:
    """One stack on one droplet, and the settings that hold for the run."""

    droplet: Droplet
    directory: StackDirectory
    settings: Settings

    @classmethod
    def of(cls, droplet: Droplet, stack: str, settings: Settings) -> "Target":
        """The target for a block that is loaded, and a stack's name; its part's, where the block means one."""
        name = part_stack(stack, split_place(droplet.name)[1])
        return cls(droplet, StackDirectory(droplet.directory, name), settings)

    @classmethod
    def resolve(cls, *, stack: str | None, droplet: str | None, settings: Settings | None = None) -> "Target":
        """The target that names mean; the settings say what is meant without one.

        Args:
            stack: the stack's name, or its compose file.
            droplet: name of the Droplet block.

        Raises:
            BlockMissing, StackNotFound
            ConflictingOptions: the droplet has several parts of the stack, and none is named.
        """
        settings = settings or Settings()
        droplet = settings.refuse_divided(droplet or settings.deployed_to)
        return cls.of(load_droplet(droplet), stack_name(stack or settings.stack), settings)

    @classmethod
    def data_home(cls, *, stack: str | None, settings: Settings | None = None) -> "Target":
        """The part of a stack that keeps state, on the data home."""
        settings = settings or Settings()
        return cls.of(load_droplet(settings.home), home_stack(stack_name(stack or settings.stack)), settings)

    @property
    def name(self) -> str:
        """Name of the Droplet block."""
        return self.droplet.name

    @property
    def stack(self) -> str:
        """Name of the stack as it is on this droplet."""
        return self.directory.stack

    @property
    def whole(self) -> str:
        """Name of the whole stack, whatever part of it this droplet has."""
        return whole_stack(self.stack) if self.droplet.part else self.stack

    @property
    def colour(self) -> str:
        """The colour that this droplet, or this place on it, is of; '' where it has none."""
        return self.settings.colours.of(self.name) or ""

    @contextmanager
    def connected(self, patience: float = 0.0) -> Iterator[Session]:
        """An open session; see `connected`."""
        with connected(self.droplet, patience) as session:
            yield session

    @contextmanager
    def locked(self, purpose: str, wait: float = 0.0, patience: float = 0.0) -> Iterator[LockedSession]:
        """An open session that holds the droplet's lock; see `locked`."""
        with (
            connected(self.droplet, patience) as session,
            locked(session, self.droplet.directory, purpose, wait) as lock,
        ):
            yield lock
