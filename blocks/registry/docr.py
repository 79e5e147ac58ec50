"""The DocrRegistry block: DigitalOcean's container registry, whose logins come from the account and expire."""

import time
from collections.abc import Callable, Collection
from typing import Any

from pydantic import Field, HttpUrl, PrivateAttr, SecretStr, model_validator

from blocks.digitalocean.account import DigitalOceanAccount
from blocks.digitalocean.client import DigitalOcean
from blocks.digitalocean.registry_models import RegistryInfo, Subscription
from blocks.digitalocean.waiting import Progress, silent, wait_for
from blocks.errors import NotAtDigitalOcean, RegistryFull
from blocks.registry.container_registry import ContainerRegistry

HOST = "registry.digitalocean.com"
_MARGIN = 120.0


class DocrRegistry(ContainerRegistry):
    """
    A container registry of DigitalOcean, usable wherever a ContainerRegistry is.

    No password is stored: a login is asked for when one is needed, for reading alone where nothing is written.

    Example:
        ```python
        from blocks import DocrRegistry

        registry = DocrRegistry.load("BLOCK_NAME")
        print(registry.reach())
        ```
    """

    _block_type_name = "Slipway DigitalOcean Registry"
    _block_type_slug = "slipway-docr-registry"
    _logo_url = HttpUrl("https://github.com/digitalocean.png")
    _documentation_url = HttpUrl("https://docs.digitalocean.com/products/container-registry/")
    _description = "DigitalOcean's container registry, with logins that expire."

    username: str = Field("", title="User", description="Not needed: logins come from the account.")
    password: SecretStr = Field(
        SecretStr(""), title="Password", description="Not needed: logins come from the account."
    )
    pull_username: str = Field("", title="User that pulls", description="Not needed: logins come from the account.")
    pull_password: SecretStr = Field(
        SecretStr(""), title="Password that pulls", description="Not needed: logins come from the account."
    )
    registry_url: str = Field(HOST, title="Host", description="Where the registry's API is.")
    account: DigitalOceanAccount = Field(title="Account", description="The DigitalOcean account that has the registry.")
    registry_name: str = Field(title="Registry", pattern=r"^[a-z0-9-]+$", description="The registry's own name.")
    lifetime: int = Field(
        3600, ge=600, le=86400, title="Lifetime", description="Seconds a login that may write is good for."
    )
    _logins: dict[bool, tuple[float, tuple[str, str]]] = PrivateAttr(default_factory=dict)
    _tell: Callable[[str], None] | None = PrivateAttr(None)

    @model_validator(mode="before")
    @classmethod
    def _below_its_name(cls, given: Any) -> Any:
        """The namespace is the registry's own name, where none is given."""
        if isinstance(given, dict) and not given.get("namespace"):
            return {**given, "namespace": given.get("registry_name", "")}
        return given

    def on_new_password(self, tell: Callable[[str], None]) -> None:
        """Set what is called with every new password, to keep it out of logs."""
        self._tell = tell

    def login(self, *, write: bool) -> tuple[str, str]:
        """User and password, good for two minutes at least; a login that may only read expires after ten."""
        expires, login = self._logins.get(write, (0.0, ("", "")))
        if time.monotonic() > expires - _MARGIN:
            seconds = self.lifetime if write else 600
            with self._client() as client:
                login = client.registries.credentials(self.registry_name, seconds, write=write)
            if self._tell:
                self._tell(login[1])
            self._logins[write] = (time.monotonic() + seconds, login)
        return login

    def renew(self, *, write: bool) -> tuple[str, str]:
        """A new login, because the one before was refused: expired earlier than it should have, or revoked."""
        self._logins.pop(write, None)
        return self.login(write=write)

    def reach(self) -> str:
        """A sentence for the terminal: the plan of this registry, and that a login is taken.

        Raises:
            Unreachable, TokenRefused, LoginRefused, NotAtDigitalOcean, ApiFailed
        """
        account = self.account.reach()
        with self._client() as client:
            self._find(client)
            plan = client.registries.subscription()
        with self.client() as registry:
            registry.check()
        return f"registry {self.host}/{self.registry_name}: plan {plan.tier}, login accepted; {account}"

    def check_room(self, repositories: Collection[str]) -> None:
        """Check that the plan has room for a release that needs these repositories.

        Raises:
            RegistryFull: it has not; nothing was built or pushed.
        """
        with self._client() as client:
            registry, plan = self._find(client), client.registries.subscription()
            there = {repository.name for repository in client.registries.repositories(self.registry_name)}
        refuse_full(plan, there, {r.removeprefix(f"{self.registry_name}/") for r in repositories}, registry.used)

    def wait_writable(self, within: float, tell: Progress = silent) -> float:
        """Wait for the end of a garbage collection: the registry is read-only meanwhile.

        Returns the seconds that took; 0 when there was none.

        Raises:
            ActionUnfinished
        """
        began = time.monotonic()
        with self._client() as client:
            if client.registries.collection(self.registry_name) is None:
                return 0.0
            wait_for(
                f"garbage collection of {self.registry_name}",
                lambda: client.registries.collection(self.registry_name),
                lambda found: found is None,
                within,
                tell=lambda words: tell(f"waiting for {words}"),
                state=lambda found: found.status if found else "",
            )
        return time.monotonic() - began

    def _find(self, client: DigitalOcean) -> RegistryInfo:
        try:
            return client.registries.get(self.registry_name)
        except NotAtDigitalOcean as error:
            names = ", ".join(r.name for r in client.registries.all()) or "none"
            raise NotAtDigitalOcean(
                f"{error}. The account has: {names}. Name it: slipway registry set-docr --registry NAME; or make one: "
                "docs/DOCR.md"
            ) from None

    def _client(self) -> DigitalOcean:
        return self.account.client()


def refuse_full(plan: Subscription, there: Collection[str], needed: Collection[str], used: int) -> None:
    """Check that a plan has room for these repositories. Raises RegistryFull: it has not, or no storage is left.

    Args:
        used: bytes.
    """
    new = sorted(set(needed) - set(there))
    if plan.repositories and len(there) + len(new) > plan.repositories:
        raise RegistryFull(
            f"plan {plan.tier} includes {plan.repositories} repositories; {len(there)} are there and the release needs "
            f"{len(new)} more ({', '.join(new[:5])}{' …' if len(new) > 5 else ''}). Nothing was built. Keep all images "
            "in one repository (slipway registry set-docr --single-repository NAME), or take a bigger plan"
        )
    if not plan.overage and used >= plan.storage:
        raise RegistryFull(
            f"plan {plan.tier} includes {plan.storage / 2**30:.1f} GB, and {used / 2**30:.1f} GB are used. Nothing was "
            "built. Make room: slipway registry retention, then slipway registry gc; or take a bigger plan"
        )
