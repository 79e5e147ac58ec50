"""deploy: put a published release on a droplet, by digest."""

import time

from prefect import flow

from blocks import ContainerRegistry, Droplet
from flows.core.deploy.preflight import layers_to_pull
from flows.core.deploy.staging import secret_contents
from flows.core.droplet.containers import strangers
from flows.core.droplet.directories import Home
from flows.core.errors import Contradiction
from flows.core.records.lifecycle import opened, proved
from flows.core.release.role import Role, as_role, role_files, role_override
from flows.core.results import Deployed, service_states
from flows.hooks import mend, tidy
from flows.rollback import WayBack, going_back
from flows.settings import Settings, Strategy
from flows.tasks.deploy.deployment import Cargo, Deployment, under_way
from flows.tasks.deploy.readiness import wait_until_ready
from flows.tasks.deploy.steps import (
    current_release,
    make_current,
    preflight,
    prove_digests,
    pull_images,
    put_files,
    remove_strangers,
    start_services,
    stop_services,
)
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.lock import locked
from flows.tasks.records.history import keep_record
from flows.tasks.release.publish import fetch_release
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import layout, load_droplet, load_environment, load_registry, remembered
from flows.tasks.runs.run_info import mark_crashed, now, this_run
from flows.tasks.stack.environment import variables
from flows.tasks.stack.run_names import run_name
from flows.tasks.stack.source import stack_name


@flow(
    name="deploy",
    flow_run_name=run_name("deploy {stack} {tag} to {droplet}"),
    on_failure=[tidy],
    on_crashed=[mend],
    on_cancellation=[mend],
)
def deploy(
    tag: str,
    stack: str | None = None,
    droplet: str | None = None,
    strategy: Strategy | None = None,
    env_file: str | None = None,
    wait: float = 0.0,
) -> Deployed:
    """Put the release `tag` on a droplet, and prove that it runs; go back to the last known good one if it does not.

    Args:
        tag: tag of a published release.
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplet: name of the Droplet block; default: the setting `droplet`.
        strategy: `rolling` pulls, then replaces what differs; `prefetch` pulls, then stops all and starts all;
            `recreate` stops all, pulls and starts. Default: the setting `strategy`.
        env_file: an env file over the environment block's variables.
        wait: seconds to wait while another run changes the droplet.
    """
    settings = Settings()
    name, droplet = stack_name(stack or settings.stack), droplet or settings.droplet
    if droplet == settings.home and not settings.colours.of(droplet):
        raise Contradiction(
            f"droplet {droplet} is the data home, where only what keeps state runs. Put that there: "
            f"slipway deploy-home --tag {tag}"
        )
    with remembered():
        target = load_droplet(droplet)
        role, chosen = settings.role(droplet), strategy or settings.strategy
        return put_on(target, name, tag, role, chosen, env_file, wait, settings)


def put_on(
    target: Droplet,
    name: str,
    tag: str,
    role: Role,
    strategy: Strategy,
    env_file: str | None,
    wait: float,
    settings: Settings,
) -> Deployed:
    """What the flow does, for the part of the stack that runs on this droplet.

    Args:
        name: the stack's name.
        role: which part of it.
    """
    began = time.monotonic()
    registry = load_registry(settings)
    environment = load_environment(settings, name)
    values = variables(environment, env_file)

    whole, files = fetch_release(name, tag, registry)
    release = as_role(whole, role)
    secrets = secret_contents(release, environment.contents())
    colour = settings.colours.of(target.name) or ""
    values = {**values, "REGISTRY": layout(registry).prefix, "IMAGE_TAG": tag, "SLIPWAY_COLOUR": colour}
    if role != "all":
        files = role_files(files, release)
    cargo = Cargo(files, values, secrets, role_override(whole, role))
    home = Home(target.directory, release.stack)
    purpose = f"deploy of {release.stack} {tag}"
    with connected(target) as session, locked(session, target.directory, purpose, wait) as lock:
        deployment = Deployment(lock, home, release, cargo.name(tag), settings)
        token = under_way.set(deployment)
        try:
            with going_back(target, home, settings) as way:
                return _carry_out(deployment, cargo, way, registry, strategy, began)
        finally:
            under_way.reset(token)


def _carry_out(
    deployment: Deployment,
    cargo: Cargo,
    way: WayBack,
    registry: ContainerRegistry,
    strategy: Strategy,
    began: float,
) -> Deployed:
    facts = preflight(deployment)
    if interrupted := facts.history.unfinished:
        way.needed = not interrupted.deployed
        mark_crashed(interrupted, "its process ended before the release was judged; another deploy came after it")
    to_pull = layers_to_pull(deployment.release, facts, current_release(facts))
    way.staged = deployment.name
    stack = put_files(deployment, cargo)
    record, left = opened(
        facts.history, deployment.release, deployment.name,
        kind="deploy", environment=cargo.environment, run=this_run(), now=now(),
    )  # fmt: skip
    gone = strangers(facts.containers, stack.services)
    pulled = [] if strategy == "recreate" else pull_images(deployment, facts.present, registry)
    way.needed = True
    make_current(deployment, [record, *left])
    if gone:
        remove_strangers(deployment, gone)
    if strategy != "rolling":
        stop_services(deployment)
    if strategy == "recreate":
        pulled = pull_images(deployment, facts.present, registry)
    start_services(deployment)
    running = wait_until_ready(deployment, stack)
    prove_digests(deployment, stack, running)
    keep_record(deployment.session, deployment.home, [proved(record, now())])
    deployed = Deployed(
        droplet=deployment.droplet,
        release=deployment.release,
        services=service_states(running.containers, running.digests),
        pulled=tuple(pulled),
        pulled_bytes=sum(layer.size for layer in to_pull),
        seconds=time.monotonic() - began,
    )
    rows: list[dict[str, object]] = [{"service": n, **state.as_json()} for n, state in deployed.services.items()]
    table(f"deploy-{deployed.droplet}", rows, f"Release {deployment.release.tag} on {deployed.droplet}")
    return deployed
