"""Loads the blocks that were saved, and says how to save the one that was not."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

import httpx
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect_docker import DockerHost

from blocks import (
    ContainerRegistry,
    DigitalOceanAccount,
    DocrRegistry,
    Droplet,
    Langfuse,
    Prometheus,
    SigningKey,
    StackEnvironment,
    TrustedKeys,
)
from blocks.errors import OutsideError
from blocks.signing.trusted_keys import TrustedKey
from flows.core.droplet.places import split_place
from flows.core.errors import BlockMissing
from flows.core.registry.layout import RegistryLayout
from flows.core.secrets.masking import environment_values, file_values
from flows.settings import Settings
from flows.tasks.runs.block_names import block_name
from flows.tasks.runs.context import extended_context, run_context
from flows.tasks.runs.log_masking import mask, register_secrets

Kind = TypeVar("Kind", bound=Block)
# Who loads a block knows its secrets, and may meet an error of the system behind it.
OutsideError.shown = staticmethod(mask)


def load_droplet(name: str) -> Droplet:
    """The Droplet block of this name, or of a place on one (`prod/green`).

    Raises:
        BlockMissing, BadColours
    """
    block, part = split_place(name)
    droplet = _load(Droplet, block, f"slipway droplet add {block} --host ADDRESS --key-file PATH")
    register_secrets(file_values("key", droplet.private_key.get_secret_value()))
    return droplet.at(part) if part else droplet


def find_droplet(name: str) -> Droplet | None:
    """The block of this name as it is now, or None."""
    droplet = _read(Droplet, name)
    if droplet:
        register_secrets(file_values("key", droplet.private_key.get_secret_value()))
    return droplet


def load_registry(settings: Settings) -> ContainerRegistry:
    """The registry's block, of either kind.

    Raises:
        BlockMissing
    """
    remedy = "slipway registry set --host HOST --namespace NAME --user USER, or: slipway registry set-docr"
    registry = load_any((DocrRegistry, ContainerRegistry), settings.registry, remedy)
    if isinstance(registry, DocrRegistry):
        register_secrets([registry.account.token.get_secret_value()])
        registry.on_new_password(lambda password: register_secrets([password]))
    else:
        register_secrets([secret.get_secret_value() for secret in (registry.password, registry.pull_password)])
    return registry


def load_account(settings: Settings) -> DigitalOceanAccount:
    """The block of the DigitalOcean account.

    Raises:
        BlockMissing
    """
    account = _load(DigitalOceanAccount, settings.account, f"slipway account set --name {settings.account}")
    register_secrets([account.token.get_secret_value()])
    return account


def find_account(settings: Settings) -> DigitalOceanAccount | None:
    """The account's block, or None when none was saved: then nothing of ours is at DigitalOcean's API."""
    return load_account(settings) if settings.account and _find(DigitalOceanAccount, settings.account) else None


def load_langfuse(settings: Settings) -> Langfuse | None:
    """The Langfuse block, or None when none was saved: then nothing is traced."""
    langfuse = _find(Langfuse, settings.langfuse) if settings.langfuse else None
    if langfuse:
        register_secrets([langfuse.secret_key.get_secret_value()])
    return langfuse


def load_prometheus(settings: Settings) -> Prometheus | None:
    """The Prometheus block, or None when none was saved: then no metric is a gate."""
    prometheus = _find(Prometheus, settings.prometheus) if settings.prometheus else None
    if prometheus and prometheus.username:
        register_secrets([prometheus.password.get_secret_value()])
    return prometheus


def load_signing_key(settings: Settings) -> SigningKey | None:
    """The key that releases are signed with, or None when none was saved: then they are not signed."""
    key = _find(SigningKey, settings.signing) if settings.signing else None
    if key:
        register_secrets([*file_values("key", key.private_key.get_secret_value()), key.password.get_secret_value()])
    return key


def load_trusted_keys(settings: Settings) -> tuple[TrustedKey, ...]:
    """The keys whose signatures are trusted; none when none was saved."""
    trusted = _find(TrustedKeys, settings.trusted) if settings.trusted else None
    return tuple(trusted.keys) if trusted else ()


def load_any(kinds: Sequence[type[Kind]], name: str, remedy: str) -> Kind:
    """The block of this name, of whichever of these kinds it is.

    Raises:
        BlockMissing
    """
    found = next((block for kind in kinds[:-1] if (block := _find(kind, name))), None)
    return found or _load(kinds[-1], name, remedy)


def load_environment(settings: Settings, stack: str) -> StackEnvironment:
    """The stack's environment; empty when none was saved under the default name."""
    if settings.environment:
        remedy = f"slipway environment set --name {settings.environment} --stack PATH"
        environment = _load(StackEnvironment, settings.environment, remedy)
    else:
        environment = _find(StackEnvironment, block_name(stack)) or StackEnvironment()
    register_secrets(environment_values(environment.values(), environment.texts()), public=[stack])
    return environment


def engine_environment(settings: Settings) -> dict[str, str]:
    """Environment variables that lead the docker client to the build host's engine."""
    if not settings.build_host:
        return {}
    host = _load(DockerHost, settings.build_host, "the Prefect UI: Blocks, Docker Host")
    return {"DOCKER_HOST": host.base_url} if host.base_url else {}


def layout(registry: ContainerRegistry) -> RegistryLayout:
    """Where this registry wants images."""
    return RegistryLayout(registry.host, registry.namespace, registry.single_repository)


def _load(kind: type[Kind], name: str, remedy: str) -> Kind:
    found = _find(kind, name)
    if found is None:
        raise BlockMissing(f"there is no {kind.get_block_type_slug()} block named '{name}'. Save it: {remedy}")
    return found


@contextmanager
def block_cache() -> Iterator[None]:
    """Load each block once for as long as the outermost such context is open."""
    known = run_context().blocks
    with extended_context(blocks={} if known is None else known):
        yield


def _find(kind: type[Kind], name: str) -> Kind | None:
    known = run_context().blocks
    if known is None:
        return _read(kind, name)
    if (kind, name) not in known:
        known[kind, name] = _read(kind, name)
    return cast(Kind | None, known[kind, name])


def _read(kind: type[Kind], name: str) -> Kind | None:
    try:
        return cast(Kind, kind.load(name))
    except ValueError as error:
        if "Unable to find block document" in str(error):
            return None
        raise


def forget_block(kind: type[Block], name: str) -> None:
    """Delete the block of this name; another run may have deleted it, before or meanwhile."""
    try:
        kind.delete(name)
    except ObjectNotFound:
        return
    except ValueError as error:
        if "Unable to find block document" not in str(error):
            raise


def saved_names(kind: type[Block]) -> list[str]:
    """Names under which blocks of this kind were saved; none where the server does not know the kind yet."""
    with get_client(sync_client=True) as client:
        try:
            found = client.read_block_documents_by_type(kind.get_block_type_slug())
        except ObjectNotFound:
            return []
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                return []
            raise
    return sorted(document.name for document in found if document.name)
