"""deploy_home: put what keeps state on the data home, after a person said yes. Never part of a switch."""

from prefect import flow

from blocks import Droplet
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import NoStatefulServices
from flows.core.release.role import as_role, home_stack
from flows.core.results import Deployed
from flows.core.traffic.approval import home_question
from flows.deploy import deploy_release
from flows.hooks import prune_after_failure, recover_after_crash
from flows.rollback import rollback_on_failure
from flows.settings import Approval, Settings, Strategy
from flows.tasks.droplet.connection import connected
from flows.tasks.droplet.lock import locked
from flows.tasks.release.publish import fetch_release
from flows.tasks.runs.blocks import block_cache, load_droplet, load_environment, load_registry
from flows.tasks.stack.run_names import run_name
from flows.tasks.stack.source import stack_name
from flows.tasks.traffic.approval import ask_for_approval
from flows.tasks.traffic.colours import read_state
from flows.validate import validate


@flow(
    name="deploy-home",
    flow_run_name=run_name("deploy the data home of {stack} {tag}"),
    on_failure=[prune_after_failure],
    on_crashed=[recover_after_crash],
    on_cancellation=[recover_after_crash],
)
def deploy_home(
    tag: str,
    stack: str | None = None,
    approval: Approval = "always",
    strategy: Strategy | None = None,
    env_file: str | None = None,
    wait: float = 0.0,
) -> Deployed:
    """Put the services that keep state (`x-slipway.data: home`) of a release on the data home, and validate them.

    Args:
        tag: tag of a published release.
        stack: the stack's name, or its compose file; default: the setting `stack`.
        approval: never: nobody is asked; otherwise a person is.
        strategy: how services are replaced; default: the setting `strategy`.
        env_file: an env file over the environment block's variables.
        wait: seconds to wait while another run changes the droplet.

    Raises:
        NothingAtHome: no data home is set, or no service of the release is at home.
        NotApproved: a person said no, or nobody answered.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    if not settings.home:
        raise NoStatefulServices(
            "no data home is set. Name its Droplet block: SLIPWAY_HOME. docs/BLUE_GREEN_DEPLOYMENT.md"
        )
    with block_cache():
        target = load_droplet(settings.home)
        load_environment(settings, name)
        directory = StackDirectory(target.directory, home_stack(name))
        if approval != "never":
            asked = _question(target, directory, name, tag, settings)
            ask_for_approval(
                asked, f"release {tag} of {name} to the data home {target.name}", settings.approval_timeout
            )
        purpose = f"deploy of {directory.stack} {tag}"
        with (
            connected(target) as session,
            locked(session, target.directory, purpose, wait),
            rollback_on_failure(target, directory, settings) as guard,
        ):
            deployed = deploy_release(
                target, name, tag, "home", strategy or settings.strategy, env_file, wait, settings
            )
            guard.armed = True
            validate(directory.stack, target.name)
    return deployed


def _question(target: Droplet, directory: StackDirectory, name: str, tag: str, settings: Settings) -> str:
    release = as_role(fetch_release(name, tag, load_registry(settings))[0], "home")
    with connected(target) as session:
        before = read_state(session, directory)
    return home_question(release, before, settings.approval_timeout / 60)
