"""deploy: put a published release on a droplet, by digest."""

import time

from prefect import flow

from blocks import ContainerRegistry
from flows.core.containers import strangers
from flows.core.layout import Home
from flows.core.outcome import Deployed, service_states
from flows.core.preflight import layers_to_pull
from flows.core.staging import secret_contents
from flows.names import run_name
from flows.settings import Settings, Strategy
from flows.tasks.connection import connected
from flows.tasks.deploy import (
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
from flows.tasks.deployment import Deployment
from flows.tasks.publish import fetch_release
from flows.tasks.report import table
from flows.tasks.saved import layout, load_droplet, load_environment, load_registry, variables
from flows.tasks.source import stack_name
from flows.tasks.wait import wait_until_ready


@flow(name="deploy", flow_run_name=run_name("deploy {stack} {tag} to {droplet}"))
def deploy(
    tag: str,
    stack: str | None = None,
    droplet: str | None = None,
    strategy: Strategy | None = None,
    env_file: str | None = None,
) -> Deployed:
    """Put the release `tag` on a droplet, and prove that it runs.

    Args:
        tag: tag of a published release.
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplet: name of the Droplet block; default: the setting `droplet`.
        strategy: `rolling` pulls, then replaces what differs; `prefetch` pulls, then stops all and starts all;
            `recreate` stops all, pulls and starts. Default: the setting `strategy`.
        env_file: an env file over the environment block's variables.
    """
    began = time.monotonic()
    settings = Settings()
    name = stack_name(stack or settings.stack)
    target = load_droplet(droplet or settings.droplet)
    registry = load_registry(settings)
    environment = load_environment(settings, name)
    values = variables(environment, env_file)

    release, files = fetch_release(name, tag, registry)
    secrets = secret_contents(release, environment.contents())
    values = {**values, "REGISTRY": layout(registry).prefix, "IMAGE_TAG": tag}
    with connected(target) as session:
        home = Home(target.directory, release.stack)
        deployment = Deployment(session, home, release, files, values, secrets, settings)
        return _carry_out(deployment, registry, strategy or settings.strategy, began)


def _switch(deployment: Deployment, gone: list[str]) -> None:
    make_current(deployment)
    if gone:
        remove_strangers(deployment, gone)


def _carry_out(deployment: Deployment, registry: ContainerRegistry, strategy: Strategy, began: float) -> Deployed:
    facts = preflight(deployment)
    to_pull = layers_to_pull(deployment.release, facts, current_release(facts))
    stack = put_files(deployment)
    gone = strangers(facts.containers, stack.services)
    if strategy == "recreate":
        _switch(deployment, gone)
        stop_services(deployment)
        pulled = pull_images(deployment, facts, registry)
    else:
        pulled = pull_images(deployment, facts, registry)
        _switch(deployment, gone)
        if strategy == "prefetch":
            stop_services(deployment)
    start_services(deployment)
    running = wait_until_ready(deployment, stack)
    prove_digests(deployment, stack, running)
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
