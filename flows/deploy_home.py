"""deploy_home: put what keeps state on the data home, after a person said yes. Never part of a switch."""

from flows.core.control.events import HOME_DEPLOYED
from flows.core.errors import NoStatefulServices
from flows.core.release.release import Release
from flows.core.release.role import as_role
from flows.core.results import Deployed
from flows.core.traffic.approval import home_question
from flows.deploy import deploy_release
from flows.hooks import prune_home_after_failure, recover_home_after_crash
from flows.rollback import rollback_on_failure
from flows.settings import Approval, Settings, Strategy
from flows.tasks.droplet.target import Target
from flows.tasks.insight.overview import keep_overview
from flows.tasks.release.fetch import fetch_release
from flows.tasks.runs.blocks import block_cache, load_environment, load_registry
from flows.tasks.runs.declaration import flow
from flows.tasks.runs.events import emit
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name
from flows.tasks.traffic.approval import approval_mode, ask_for_approval
from flows.tasks.traffic.colours import read_state
from flows.validate import validate


@flow(
    name="deploy-home",
    flow_run_name=run_name("deploy the data home of {stack} {tag}"),
    overview=keep_overview,
    on_failure=[prune_home_after_failure],
    on_crashed=[recover_home_after_crash],
    on_cancellation=[recover_home_after_crash],
)
def deploy_home(
    tag: str,
    stack: str | None = None,
    approval: Approval = "always",
    strategy: Strategy | None = None,
    env_file: str | None = None,
    wait: float = 0.0,
    digest: str | None = None,
) -> Deployed:
    """Put the services that keep state (`x-slipway.data: home`) of a release on the data home, and validate them.

    Args:
        tag: tag of a published release.
        stack: the stack's name, or its compose file; default: the setting `stack`.
        approval: never: nobody is asked; otherwise a person is. Through the API, the setting
            counts where it is stricter.
        strategy: how services are replaced; default: the setting `strategy`.
        env_file: an env file over the environment block's variables.
        wait: seconds to wait while another run changes the droplet.
        digest: of the release as it was published (`sha256:…`): what its tag means meanwhile is not asked then.

    Raises:
        NoStatefulServices: no data home is set, or no service of the release is at home.
        NotApproved: a person said no, or nobody answered.
    """
    settings = Settings()
    name = stack_name(stack or settings.stack)
    if not settings.home:
        raise NoStatefulServices(
            "no data home is set. Name its Droplet block: SLIPWAY_HOME. docs/BLUE_GREEN_DEPLOYMENT.md"
        )
    with block_cache():
        target = Target.data_home(stack=name, settings=settings)
        load_environment(settings, name)
        fetched = fetch_release(
            name, tag, load_registry(settings), settings, droplets=[target.name], digest=digest
        )  # once: what is approved is what is put there
        if approval_mode(approval, settings) != "never":
            asked = f"release {tag} of {name} to the data home {target.name}"
            question = _question(target, fetched.release)
            ask_for_approval(question, asked, settings.approval_timeout, stack=name, tag=tag)
        with target.locked(f"deploy of {target.stack} {tag}", wait), rollback_on_failure(target) as guard:
            deployed = deploy_release(
                target.droplet, fetched, role="home", strategy=strategy or settings.strategy,
                env_file=env_file, wait=wait, settings=settings,
            )  # fmt: skip
            guard.armed = True
            validate(stack=target.stack, droplet=target.name)
    emit(HOME_DEPLOYED, stack=name, tag=tag, digest=fetched.digest, droplet=target.name)
    return deployed


def _question(target: Target, whole: Release) -> str:
    release = as_role(whole, "home")
    with target.connected() as session:
        before = read_state(session, target)
    return home_question(release, before, target.settings.approval_timeout / 60)
