"""A release that a promotion puts on the idle colour first."""

from contextlib import ExitStack
from dataclasses import dataclass

from flows.core.release.role import refuse_release
from flows.deploy import deploy_release
from flows.rollback import rollback_on_failure
from flows.settings import Settings, Strategy
from flows.tasks.release.fetch import FetchedRelease, fetch_release
from flows.tasks.runs.blocks import load_registry
from flows.tasks.traffic.colours import ColourDroplets
from flows.validate import validate


@dataclass(frozen=True)
class DeployFirst:
    """A release that is deployed to the idle colour first, and how."""

    tag: str
    strategy: Strategy
    env_file: str | None
    digest: str | None

    def fetch(self, colour: ColourDroplets, settings: Settings) -> FetchedRelease:
        """The release, before anything is changed."""
        registry, there = load_registry(settings), [target.name for target in colour.targets]
        found = fetch_release(colour.stack, self.tag, registry, settings, droplets=there, digest=self.digest)
        refuse_release(found.release, settings.home)
        return found

    def put(
        self, fetched: FetchedRelease, colour: ColourDroplets, guards: ExitStack, wait: float, settings: Settings
    ) -> None:
        """Deploy and validate on every droplet of the colour; if one of them fails, all of them go back."""
        for target in colour.targets:
            guard = guards.enter_context(rollback_on_failure(target))
            deploy_release(
                target.droplet, fetched, role=settings.role(target.name),
                strategy=self.strategy, env_file=self.env_file, wait=wait, settings=settings,
            )  # fmt: skip
            guard.armed = True
            validate(stack=colour.stack, droplet=target.name)
