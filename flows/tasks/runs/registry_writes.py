"""Writes to a registry that is read-only now and then."""

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.logging import get_run_logger

from blocks import ContainerRegistry
from blocks.errors import LoginRefused, RegistryFailed
from flows.core.errors import PushFailed
from flows.settings import Settings


@contextmanager
def registry_writes(registry: ContainerRegistry, settings: Settings) -> Iterator[None]:
    """Wait until the registry can be written to, and find out why a write failed: where a garbage collection began
    meanwhile, its end is awaited, and the error is one that is worth another try.

    Raises:
        ActionUnfinished: the collection did not end within `collection_timeout`.
        RegistryFailed: it began in between, and is over.
    """
    tell = get_run_logger().warning
    registry.wait_writable(settings.collection_timeout, tell)
    try:
        yield
    except (LoginRefused, RegistryFailed, PushFailed) as error:
        if not registry.wait_writable(settings.collection_timeout, tell):
            raise
        raise RegistryFailed(
            f"registry {registry.host} became read-only for a garbage collection, which is over now: {error}"
        ) from None
