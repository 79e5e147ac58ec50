"""release: build-push, deploy, validate, one after the other."""

from prefect import flow, runtime

from flows.build_push import build_push
from flows.core.layout import Home
from flows.core.outcome import Released
from flows.deploy import deploy
from flows.hooks import mend, tidy
from flows.names import run_name
from flows.rollback import going_back
from flows.settings import Settings, Strategy
from flows.tasks.connection import connected
from flows.tasks.lock import locked
from flows.tasks.prune import prune_willingly
from flows.tasks.report import release_rows, table
from flows.tasks.saved import load_droplet, remembered
from flows.validate import validate


@flow(
    name="release",
    flow_run_name=run_name("release {stack} {tag} to {droplet}"),
    on_failure=[tidy],
    on_crashed=[mend],
    on_cancellation=[mend],
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
) -> Released:
    """Build the stack once, push it, deploy it by digest and validate it; go back if anything on the droplet fails.

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
    """
    settings = Settings()
    droplet = droplet or settings.droplet
    target = load_droplet(droplet)
    with remembered(), connected(target):
        published = build_push(stack, tag, services, env_file, mirror_external, cleanup_on_failure, ref, droplet)
        stack, tag = published.release.stack, published.release.tag
        home = Home(target.directory, stack)
        with (
            connected(target) as session,  # a build is long: the connection may have broken meanwhile
            locked(session, target.directory, f"release of {stack} {tag}", wait) as lock,
        ):
            with going_back(target, home, settings) as way:
                deployed = deploy(tag, stack, droplet, strategy, env_file)
                way.needed = True
                validated = validate(stack, droplet)
            prune_willingly(lock, home, settings)
    released = Released(published, deployed, validated, str(runtime.flow_run.ui_url or ""), settings.edge_url)
    stages = (("build-push", published), ("deploy", deployed), ("validate", validated))
    times = ", ".join(f"{name} {stage.seconds:.1f} s" for name, stage in stages)
    which = f"Release {published.release.tag} of {published.release.stack}"
    what = f"{which} runs on {droplet}, by digest, validated ({times})"
    table(f"summary-{published.release.stack}", release_rows(released), what)
    return released
