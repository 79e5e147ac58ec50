"""deploy: put a published release on a droplet, by digest."""

import time
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import TypedDict

from blocks import Droplet
from flows.core.control.events import DEPLOY_FAILED, DEPLOYED
from flows.core.deploy.preflight import layers_to_pull
from flows.core.droplet.containers import orphan_containers
from flows.core.errors import ConflictingOptions
from flows.core.records.lifecycle import mark_deployed, open_record
from flows.core.records.measuring import pull_times
from flows.core.release.bundle import DOCUMENT
from flows.core.release.role import Role, part_stack, refuse_release, whole_stack
from flows.core.results import Deployed, service_states
from flows.core.traffic.colours import other
from flows.core.trust.policy import Proof
from flows.hooks import prune_after_failure, recover_after_crash
from flows.rollback import RollbackGuard, rollback_on_failure
from flows.settings import Settings, Strategy
from flows.tasks.deploy.confirmation import confirmed, refuse_outdated, tell_plan
from flows.tasks.deploy.deployment import Deployment
from flows.tasks.deploy.files import put_files
from flows.tasks.deploy.planning import LookAhead, PreparedDeploy, current_release, plan_of
from flows.tasks.deploy.readiness import wait_until_ready
from flows.tasks.deploy.steps import (
    make_current,
    preflight,
    prove_digests,
    pull_images,
    remove_orphans,
    start_services,
    stop_services,
    tell_cost,
)
from flows.tasks.deploy.writable import compare_writable
from flows.tasks.insight.overview import keep_overview
from flows.tasks.records.history import keep_record
from flows.tasks.release.fetch import FetchedRelease, fetch_release
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import block_cache, load_droplet, load_environment, load_registry
from flows.tasks.runs.context import run_context
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import emit, failure_emitted
from flows.tasks.runs.measuring import Measuring, measured_build, measuring
from flows.tasks.runs.run_info import mark_crashed, now, this_run
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.colours import ColourDroplets, load_colours
from flows.tasks.traffic.edge.serving import check_site, serve
from flows.tasks.traffic.memory import check_memory
from flows.tasks.traffic.sleep import sleeping_again
from flows.validate import validate


class _How(TypedDict):
    role: Role
    strategy: Strategy
    env_file: str | None
    settings: Settings


@flow(
    name="deploy",
    flow_run_name=run_name("deploy {stack} {tag} to {droplet}"),
    overview=keep_overview,
    on_failure=[prune_after_failure],
    on_crashed=[recover_after_crash],
    on_cancellation=[recover_after_crash],
)
def deploy(
    tag: str,
    stack: str | None = None,
    droplet: str | None = None,
    strategy: Strategy | None = None,
    env_file: str | None = None,
    wait: float = 0.0,
    digest: str | None = None,
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
        digest: of the release as it was published (`sha256:…`): what its tag means meanwhile is not asked then.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    droplet = settings.refuse_divided(droplet or settings.deployed_to)
    if droplet == settings.home and not settings.colours.of(droplet):
        raise ConflictingOptions(
            f"droplet {droplet} is the data home, where only what keeps state runs. Put that there: "
            f"slipway deploy-home --tag {tag}"
        )
    with block_cache():
        known, registry = load_droplet(droplet), load_registry(settings)
        load_environment(settings, name)
        colour = settings.colours.of(droplet) if settings.shared_droplet else None
        with sleeping_again(load_colours(name, settings)[colour], settings) if colour else nullcontext():
            fetched = fetch_release(name, tag, registry, settings, droplets=[droplet], digest=digest)
            how: _How = {
                "role": settings.role(droplet), "strategy": strategy or settings.strategy, "env_file": env_file,
                "settings": settings,
            }  # fmt: skip
            with confirmed(known, fetched.release, fetched.files, **how):
                return deploy_release(known, fetched, wait=wait, **how)


def deploy_release(
    droplet: Droplet, fetched: FetchedRelease, *, role: Role, strategy: Strategy, env_file: str | None, wait: float,
    settings: Settings,
) -> Deployed:  # fmt: skip
    """Put the part of a release that runs on a droplet of this role there; the body of the flow.

    Args:
        fetched: the whole release, which is not asked for again.
        role: which part of it runs there.
    """
    began = time.monotonic()
    whole = fetched.release
    prepared = PreparedDeploy.of(droplet, whole, fetched.files, role=role, env_file=env_file, settings=settings)
    target, release, payload = prepared.target, prepared.release, prepared.payload
    proof = fetched.proof.of(payload.files.own[DOCUMENT].content)
    said = {"stack": whole.stack, "tag": whole.tag, "digest": fetched.digest, "droplet": droplet.name}
    said["colour"] = target.colour
    purpose = f"deploy of {release.stack} {whole.tag}"
    with measuring(target.name) as measured, target.locked(purpose, wait) as lock:
        deployment = Deployment(lock, target, release, prepared.name)
        with deployment.at_work(), rollback_on_failure(target) as guard, failure_emitted(DEPLOY_FAILED, **said):
            deployed = _run_steps(deployment, prepared, proof, guard, strategy, began, measured)
    emit(DEPLOYED, **said)
    return deployed


def _run_steps(
    deployment: Deployment,
    prepared: PreparedDeploy,
    proof: Proof,
    guard: RollbackGuard,
    strategy: Strategy,
    began: float,
    measured: Measuring,
) -> Deployed:
    payload, registry = prepared.payload, load_registry(deployment.settings)
    ahead = LookAhead.of(prepared)
    facts, standing = preflight(deployment, prepared, ahead)
    seen = run_context().confirmed.get(deployment.droplet, "")
    refuse_outdated(seen, facts, deployment.droplet)
    proof.refuse_replayed(facts.history, deployment.release.tag)
    if colour := deployment.colour_beside:
        check_site(deployment.session, deployment.directory.directory, deployment.release, colour)
    if interrupted := facts.history.unfinished:
        guard.armed = not interrupted.deployed
        mark_crashed(interrupted, "its process ended before the release was judged; another deploy came after it")
    before = current_release(facts)
    if not seen:
        tell_plan(plan_of(prepared, facts, standing, ahead, strategy))
    to_pull = layers_to_pull(deployment.release, facts, before)
    guard.staged = deployment.name
    stack = put_files(deployment, payload, facts, prepared.here)
    if colour:
        whole = whole_stack(deployment.release.stack)
        active, idle = (part_stack(whole, part) for part in (other(colour), colour))
        check_memory(deployment.session, stack, active, idle)
    record, left = open_record(
        facts.history, deployment.release, deployment.name,
        kind="deploy", environment=payload.environment, run=this_run(), now=now(),
        verified=proof.verified, unverified=proof.unverified,
    )  # fmt: skip
    measured.number = record.number
    measured.note(committed=deployment.release.committed, build=measured_build())
    orphans = orphan_containers(facts.containers, stack.services)
    pulled = [] if strategy == "recreate" else pull_images(deployment, facts.present, registry)
    staged = payload.staged(deployment.release, deployment.directory)
    bringing = compare_writable(deployment, staged.tree, before)
    guard.armed = True
    kept = make_current(deployment, [record, *left], bringing)
    if not (deployment.settings.switch and deployment.settings.colours.of(deployment.droplet)):
        tell_cost(deployment, facts.containers, strategy)  # a colour is replaced while traffic goes to the other one
    if orphans:
        remove_orphans(deployment, orphans)
    # What `down` removes leads to volumes that have no name: nobody would find them again.
    nameless = strategy != "rolling" and any(container.nameless for container in facts.containers)
    if strategy != "rolling":
        stop_services(deployment, nameless)
    if strategy == "recreate":
        pulled = pull_images(deployment, facts.present, registry)
    start_services(deployment, nameless)
    running = wait_until_ready(deployment, stack)
    prove_digests(deployment, stack, running)
    if colour:
        serve(deployment.session, deployment.directory.directory, deployment.release, colour)
    pulls = pull_times(deployment.release, before, {**measured.ahead, **measured.pulled}, measured.ahead)
    measured.note(pulls=pulls)
    keep_record(deployment.session, deployment.directory, [measured.kept_in(mark_deployed(record, now()))])
    deployed = Deployed(
        droplet=deployment.droplet,
        release=deployment.release,
        services=service_states(running.containers, running.digests),
        pulled=tuple(pulled),
        pulled_bytes=sum(layer.size for layer in to_pull),
        seconds=time.monotonic() - began,
        kept=kept,
        measured=measured.so_far(),
    )
    rows: list[dict[str, object]] = [{"service": n, **state.as_json()} for n, state in deployed.services.items()]
    table(f"deploy-{deployed.droplet}", rows, f"Release {deployment.release.tag} on {deployed.droplet}")
    return deployed


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
