"""plan: what a promotion would change, at any time, without changing anything."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from prefect.logging import get_run_logger

from flows.core.control.events import PROMOTED
from flows.core.deploy.deployed_state import DeployedState
from flows.core.deploy.plan.plan import DeployPlan
from flows.core.errors import ConflictingOptions
from flows.core.results import Promoted
from flows.core.traffic.approval import short_digest
from flows.core.traffic.colours import Colour
from flows.core.traffic.promotion_plan import PromotionPlan, plan_promotion
from flows.settings import Settings, Strategy
from flows.tasks.deploy.confirmation import look_and_plan, tell_plan
from flows.tasks.deploy.planning import PreparedDeploy
from flows.tasks.release.fetch import fetch_release
from flows.tasks.runs.artifacts import page, table
from flows.tasks.runs.blocks import block_cache, load_droplet, load_environment, load_registry
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import emit
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.colours import ColourDroplets, load_colours, promoted_to, read_states
from flows.tasks.traffic.edge.site_of_colours import site_of
from flows.tasks.traffic.switch import open_switch, read_switch


@flow(name="plan", flow_run_name=run_name("plan a change of {stack}"))
def plan(
    stack: str | None = None,
    to: Colour | None = None,
    tag: str | None = None,
    droplet: str | None = None,
    strategy: Strategy | None = None,
    env_file: str | None = None,
    digest: str | None = None,
) -> PromotionPlan | tuple[DeployPlan, ...]:
    """Say what a promotion of what stands on the idle colour would change: services, digests, environment keys. With a
    tag: what the deploy of that release would do, on one droplet, or on each of the idle colour.

    Args:
        stack: the stack's name, or its compose file; default: the setting `stack`.
        to: green or blue; only needed when the switch points nowhere.
        tag: tag of a published release.
        droplet: with a tag: name of the Droplet block; default: those of the idle colour, or the setting `droplet`.
        strategy: with a tag: rolling, prefetch or recreate; default: the setting `strategy`.
        env_file: with a tag: an env file over the environment block's variables.
        digest: with a tag: of the release as it was published (`sha256:…`).
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    if tag:
        where = _Where(name, to, droplet, settings)
        with block_cache():
            return tuple(_plan_deploys(tag, digest, where, strategy or settings.strategy, env_file))
    if droplet:
        raise ConflictingOptions("what is planned for a droplet needs a release: --tag TAG")
    with block_cache(), open_switch(settings) as switch:
        load_environment(settings, name)
        sides, seen = load_colours(name, settings), read_switch(switch)
        colour, left = promoted_to(seen.active, to, str(switch), sides, settings)
        new, old = read_states(sides[colour]), read_states(sides[left]) if left else []
        found = plan_promotion(name, colour, left, new, old, str(switch), switch.client_impact)
        steps = settings.canary if left else ()
        found = found.with_canary(str(seen.share or ""), steps, settings.canary_seconds)
        if settings.shared_droplet:
            found = replace(found, site=_site(sides[colour], colour, new[0]))
    publish_plan(found)
    return found


@dataclass(frozen=True)
class _Where:
    stack: str
    to: Colour | None
    droplet: str | None
    settings: Settings

    def droplets(self) -> list[str]:
        """The droplet that is named, those of the idle colour, or the one that is deployed to."""
        settings = self.settings
        if self.droplet and self.to:
            raise ConflictingOptions("give --droplet or --to, not both")
        if self.droplet or not settings.switch:
            return [settings.refuse_divided(self.droplet or settings.deployed_to)]
        with open_switch(settings) as switch:
            colours = load_colours(self.stack, settings)
            colour, _ = promoted_to(read_switch(switch).active, self.to, str(switch), colours, settings)
        return list(settings.colours.droplets(colour))


def _plan_deploys(
    tag: str, digest: str | None, where: _Where, strategy: Strategy, env_file: str | None
) -> Iterator[DeployPlan]:
    settings, names = where.settings, where.droplets()
    load_environment(settings, where.stack)
    droplets = [load_droplet(name) for name in names]
    found = fetch_release(where.stack, tag, load_registry(settings), settings, droplets=names, digest=digest)
    for droplet in droplets:
        at_home = droplet.name == settings.home and not settings.colours.of(droplet.name)
        role = "home" if at_home else settings.role(droplet.name)
        prepared = PreparedDeploy.of(
            droplet, found.release, found.files, role=role, env_file=env_file, settings=settings
        )  # fmt: skip
        planned = look_and_plan(prepared, strategy)
        tell_plan(planned)
        yield planned


def _site(side: ColourDroplets, colour: Colour, state: DeployedState) -> str:
    """What the edge of a droplet that both colours share is told to serve, as Caddy reads it; kept as an artifact."""
    assert state.release is not None  # a promotion was planned by it
    target = side.targets[0]
    with target.connected() as session:
        text = site_of(session, target.directory.directory, state.release, colour).text()
    page(f"edge-{side.stack}", f"````\n{text}````\n", f"What the edge of {target.droplet.block} serves of {side.stack}")
    return text


def publish_plan(found: PromotionPlan) -> None:
    """The plan as a table in the UI, and its sentence in the log."""
    rows: list[dict[str, object]] = [
        {"service": c.service, "change": c.kind, "old": short_digest(c.old), "new": short_digest(c.new)}
        for c in found.changes
    ]
    keys = f"Environment keys that differ: {', '.join(found.keys) or 'none'}."
    table(f"plan-{found.stack}", rows, "\n\n".join((found.sentence, found.client_impact, keys, *found.notes)))
    get_run_logger().info("%s", found.sentence)


def publish_promotion(stack: str, moved: Promoted, plan: PromotionPlan) -> None:
    """Show as an artifact where traffic went, and tell the event."""
    row: dict[str, object] = {
        "release": moved.tag, "from": moved.previous_colour or "nowhere", "to": moved.colour,
        "turned after": f"{moved.turned_after:.2f} s", "answering after": f"{moved.seen_after:.2f} s",
        "watched": f"{moved.watched:.0f} s", "approved by": moved.approved_by or "nobody had to be asked",
    }  # fmt: skip
    table(f"promotion-{stack}", [row], plan.sentence)
    emit(
        PROMOTED, stack=stack, tag=moved.tag, digest=plan.digest, colour=moved.colour,
        previous=moved.previous_colour, by=moved.approved_by,
    )  # fmt: skip
