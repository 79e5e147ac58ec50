"""release: build-push, deploy, validate, one after the other."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from prefect import runtime

from blocks import Droplet
from flows.build_push import build_push
from flows.core.errors import ConflictingOptions
from flows.core.results import Published, Released
from flows.core.traffic.canary import canary_steps
from flows.deploy import deploy
from flows.hooks import prune_after_failure, recover_after_crash, recover_promotion
from flows.promote import promote as promote_flow
from flows.rollback import rollback_on_failure
from flows.settings import Approval, Settings, Strategy
from flows.tasks.control.superseding import end_superseded, give_way
from flows.tasks.deploy.confirmation import confirmed, who_is_asked
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.target import Target
from flows.tasks.insight.overview import keep_overview
from flows.tasks.prune.droplet import prune_best_effort
from flows.tasks.release.fetch import fetch_release
from flows.tasks.runs.artifacts import release_rows, table
from flows.tasks.runs.blocks import block_cache, load_droplet, load_registry
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.measuring import measuring
from flows.tasks.stack.commit.commit_settings import commit_settings
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.approval import approval_mode
from flows.tasks.traffic.canary import refuse_canary
from flows.tasks.traffic.colours import load_colours, promoted_to
from flows.tasks.traffic.switch import open_switch, read_switch
from flows.validate import validate


@flow(
    name="release",
    flow_run_name=run_name("release {stack} {tag} to {droplet}"),
    overview=keep_overview,
    on_completion=[end_superseded],
    on_failure=[prune_after_failure, end_superseded],
    on_crashed=[recover_after_crash, recover_promotion],
    on_cancellation=[recover_after_crash, recover_promotion],
)
def release(
    stack: str | None = None,
    tag: str | None = None,
    droplet: str | None = None,
    services: list[str] | None = None,
    strategy: Strategy | None = None,
    env_file: str | None = None,
    mirror_external: bool | None = None,
    cleanup_on_failure: bool | None = None,
    ref: str | None = None,
    wait: float = 0.0,
    promote: bool = False,
    approval: Approval | None = None,
    canary: str | None = None,
) -> Released:
    """Build the stack once, push it, deploy it by digest and validate it; go back if anything on the droplet fails.

    With `promote` it goes to the idle colour, and traffic follows once it has passed the gates.

    Args:
        stack: compose file or its directory (several files joined by ':'); default: the setting `stack`.
        tag: the release's tag; default: the short git commit, with `-dirty-…` when the tree has changes.
        droplet: name of the Droplet block; default: the setting `droplet`.
        services: build and push only these; the others keep the images of the newest release published.
        strategy: rolling, prefetch or recreate; default: the setting `strategy`.
        env_file: an env file over the environment block's variables.
        mirror_external: copy images from elsewhere into the registry; default: the setting.
        cleanup_on_failure: prune after a failed build or push; default: on when CI is set.
        ref: build this git commit or branch, in a work tree of its own; default: the checkout as it lies there.
        wait: seconds to wait while another run changes the droplet.
        promote: to the idle colour, and then traffic; `droplet` is not given then.
        approval: with `promote`: never, inconclusive or always; default: the setting `approval`. Through the API, the
            stricter of both.
        canary: with `promote`: percent of the clients that go there first, as `5,25,50`; `none`: all at once. Default:
            the setting `canary`.

    Raises:
        ConflictingOptions: both a droplet and `promote` were asked for.
    """
    if promote and droplet:
        raise ConflictingOptions("a promotion goes to the idle colour: leave either --droplet or --promote out")
    build: dict[str, Any] = {
        "stack": stack,
        "tag": tag,
        "services": services,
        "env_file": env_file,
        "mirror_external": mirror_external,
        "cleanup_on_failure": cleanup_on_failure,
        "ref": ref,
    }
    with commit_settings(stack, ref):
        give_way(stack, Settings())
        if promote:
            return _release_and_promote(
                build, strategy=strategy, env_file=env_file, wait=wait, approval=approval, canary=canary
            )
        return _release_to(droplet, build, strategy=strategy, env_file=env_file, wait=wait)


def _release_to(
    droplet: str | None, build: dict[str, Any], *, strategy: Strategy | None, env_file: str | None, wait: float
) -> Released:
    """Build and push, then deploy to one droplet and validate.

    Args:
        build: the parameters of build-push.
    """
    settings = Settings()
    first = load_droplet(settings.refuse_divided(droplet or settings.deployed_to))
    with block_cache(), connected(first):
        published = build_push(**build, pull_ahead=first.name)
        stack, tag = published.release.stack, published.release.tag
        target = Target.of(first, stack, settings)
        asked = _confirmed(first, published, strategy=strategy, env_file=env_file, settings=settings)
        # A build is long: the connection may have broken meanwhile, so it is asked for anew.
        with measuring(target.name), asked, target.locked(f"release of {stack} {tag}", wait) as lock:
            with rollback_on_failure(target) as guard:
                deployed = deploy(
                    tag=tag, stack=stack, droplet=target.name, strategy=strategy, env_file=env_file,
                    digest=published.digest,
                )  # fmt: skip
                guard.armed = True
                validated = validate(stack=stack, droplet=target.name)
            prune_best_effort(lock, target.directory, settings)
    released = Released(published, deployed, validated, str(runtime.flow_run.ui_url or ""), settings.edge_url)
    stages = (("build-push", published), ("deploy", deployed), ("validate", validated))
    times = ", ".join(f"{name} {stage.seconds:.1f} s" for name, stage in stages)
    what = f"Release {tag} of {stack} runs on {target.name}, by digest, validated ({times})"
    table(f"summary-{stack}", release_rows(deployed, validated), what)
    return released


def _confirmed(
    droplet: Droplet, published: Published, *, strategy: Strategy | None, env_file: str | None, settings: Settings
) -> AbstractContextManager[None]:
    """What asks whoever sits at the terminal, before the droplet's lock is taken."""
    if who_is_asked(settings) is None:
        return nullcontext()
    release, registry = published.release, load_registry(settings)
    there = [droplet.name]
    found = fetch_release(release.stack, release.tag, registry, settings, droplets=there, digest=published.digest)
    how = strategy or settings.strategy
    role = settings.role(droplet.name)
    return confirmed(droplet, found.release, found.files, role=role, strategy=how, env_file=env_file, settings=settings)


def _release_and_promote(
    build: dict[str, Any],
    *,
    strategy: Strategy | None,
    env_file: str | None,
    wait: float,
    approval: Approval | None,
    canary: str | None,
) -> Released:
    """Build and push, then promote. A switch that cannot be read is refused before the build, and the first droplet of
    the idle colour pulls ahead.

    Args:
        build: the parameters of build-push.
    """
    settings = Settings()
    with block_cache(), open_switch(settings) as switch:
        colours = load_colours(stack_name(build["stack"] or settings.stack), settings)
        colour, left = promoted_to(read_switch(switch).active, None, str(switch), colours, settings)
        steps = canary_steps(canary, settings.canary)
        refuse_canary(switch, steps if left else ())
        first = load_droplet(settings.colours.droplets(colour)[0])
        with connected(first):
            published = build_push(**build, pull_ahead=first.name)
            promoted = promote_flow(
                stack=published.release.stack,
                tag=published.release.tag,
                approval=approval_mode(approval, settings),
                strategy=strategy,
                env_file=env_file,
                wait=wait,
                digest=published.digest,
                canary=canary,
            )
    return Released(published, None, None, str(runtime.flow_run.ui_url or ""), settings.edge_url, promoted)
