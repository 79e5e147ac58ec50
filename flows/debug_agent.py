"""debug-agent: find out what is wrong with a service, and keep it as one archive."""

from flows.core.debug.bundle import DebugResult
from flows.core.errors import ConflictingOptions
from flows.settings import Settings
from flows.tasks.debug.bundle import examine
from flows.tasks.debug.engines import DropletEngine, LocalEngine
from flows.tasks.droplet.target import Target
from flows.tasks.runs.blocks import load_environment
from flows.tasks.runs.declaration import flow
from flows.tasks.stack.project import stack_name
from flows.tasks.stack.run_names import run_name


@flow(name="debug-agent", flow_run_name=run_name("find out what is wrong with {stack}"))
def debug_agent(
    service: str | None = None,
    stack: str | None = None,
    droplet: str | None = None,
    local: bool = False,
    lines: int = 100,
) -> DebugResult:
    """Look at a service, or at every one that is not well, and change nothing: state, restarts, healthcheck, log,
    Python packages, /health, environment (secrets masked), digest against the record, events, disk and memory.

    Args:
        service: the service; default: every one that is not well.
        stack: the stack's name, or its compose file; default: the setting `stack`.
        droplet: name of the Droplet block; default: the setting `droplet`.
        local: look at the engine of this host instead, where the stack runs as a Compose project of the same name.
        lines: last log lines of each container, 5000 at most.

    Raises:
        UnknownService, NothingDeployed, ConflictingOptions: nothing was looked at.
        BundleNotWritten
    """
    if local and droplet:
        raise ConflictingOptions("a droplet and this host cannot both be looked at. Give --droplet NAME or --local")
    settings = Settings()
    wanted = [service] if service else []
    if local:
        name = stack_name(stack or settings.stack)
        load_environment(settings, name)  # so that its values are known, and masked
        return examine(LocalEngine(name, settings), wanted, settings, lines)
    target = Target.resolve(stack=stack, droplet=droplet, settings=settings)
    load_environment(settings, target.whole)
    with target.connected() as session:
        return examine(DropletEngine(session, target.directory, settings), wanted, settings, lines)
