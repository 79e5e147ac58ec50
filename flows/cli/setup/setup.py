"""`slipway setup`: from a machine with an SSH key to a droplet that takes releases. Done again, it changes nothing."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape

from flows.cli.app import SET_UP, app
from flows.cli.setup.saving import YesOption, confirm, confirmed_host_key, read_key_file
from flows.cli.terminal.console import SummaryConsole, tell
from flows.cli.terminal.options import StackOption
from flows.cli.terminal.runner import api_url, run_callable
from flows.cli.terminal.tables import SummaryTable

if TYPE_CHECKING:
    from blocks import Droplet
    from flows.core.droplet.setup.plan import SetupPlan, SetupWish

_KEY_FILE = Path("~/.ssh/id_ed25519")
_HEALTH_S = 10.0


@dataclass(frozen=True)
class SetupRequest:
    """What the command line asks for, beside the machine itself."""

    stack: str | None
    edge: bool
    edge_image: str
    tls: "Literal['acme', 'internal'] | None"
    email: str
    url: str
    control_plane: bool | None
    yes: bool
    dry_run: bool


@app.command("setup", rich_help_panel=SET_UP)
def slipway_setup(
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Name or address of the machine.")],
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="The droplet's block; default: the settings' droplet.")
    ] = "",
    user: Annotated[str, typer.Option("--user", help="Who we come as: root, or one with sudo.")] = "root",
    key_file: Annotated[
        Path, typer.Option("--key-file", metavar="PATH", help="The private key that opens it, without a passphrase.")
    ] = _KEY_FILE,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="SSH port.")] = 22,
    deploy_user: Annotated[
        str, typer.Option("--deploy-user", metavar="USER", help="Who deploys from then on.")
    ] = "slipway",
    directory: Annotated[str, typer.Option("--directory", metavar="PATH", help="Where releases are kept there.")] = (
        "/opt/slipway"
    ),
    docker_from: Annotated[
        Literal["distribution", "docker.com"] | None,
        typer.Option("--docker-from", help="Default: the distribution, where its Compose is new enough."),
    ] = None,
    swap: Annotated[str, typer.Option("--swap", metavar="SIZE|none", help="A swap file, such as 2G.")] = "none",
    log_limit: Annotated[
        str,
        typer.Option("--log-limit", metavar="SIZE|none", help="Of a container's log; default: 10m, where none runs."),
    ] = "",
    edge: Annotated[bool, typer.Option("--edge/--no-edge", help="Put the edge there, too (docs/EDGE.md).")] = False,
    edge_image: Annotated[str, typer.Option("--edge-image", metavar="IMAGE", help="Default: caddy:2.")] = "",
    tls: Annotated[Literal["acme", "internal"] | None, typer.Option("--tls", help="The edge's certificates.")] = None,
    email: Annotated[str, typer.Option("--email", help="Who their authority writes to.")] = "",
    url: Annotated[
        str, typer.Option("--url", help="With --edge: the address that clients use; saves the switch.")
    ] = "",
    stack: StackOption = None,
    control_plane: Annotated[
        bool | None,
        typer.Option(
            "--control-plane/--no-control-plane", help="Bring up Prefect here; default: asked where none answers."
        ),
    ] = None,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan, and change nothing.")] = False,
) -> None:
    """Make a machine a droplet: Docker, a deploy user without root, its block, and the edge. docs/INSTALL.md."""
    if (url or edge_image or tls or email) and not edge:
        raise typer.BadParameter("--url, --edge-image, --tls and --email need --edge")
    asked = SetupRequest(stack, edge, edge_image, tls, email, url, control_plane, yes, dry_run)

    def work() -> None:
        from blocks import Droplet
        from blocks.ssh.keys import public_half
        from flows.core.droplet.places import block_of
        from flows.core.droplet.setup.plan import SetupWish
        from flows.settings import Settings

        chosen = block_of(name or Settings().deployed_to)
        key = _read_key(key_file)
        block = Droplet(host=host, port=port, user=user, private_key=key, directory=directory)
        block._block_document_name = chosen
        wish = SetupWish(deploy_user, public_half(key, block.address), directory, swap, log_limit, docker_from)
        set_up(block, chosen, wish, asked)

    run_callable(work, quiet=True)


def set_up(block: "Droplet", name: str, wish: "SetupWish", asked: SetupRequest) -> None:
    """Look, show the plan, ask, and do it."""
    from flows.core.droplet.setup.plan import plan_setup
    from flows.tasks.droplet.setup import look_at_machine, set_up_machine, try_deploy_user
    from flows.tasks.runs.blocks import find_droplet

    served = _server_answers()
    before = find_droplet(name) if served else None
    block.host_key = _host_key(block, before, asked)
    with block.session() as session:
        facts = look_at_machine(session, wish)
        plan = plan_setup(facts, wish)
        wanted = block.model_copy(update={"user": wish.user})
        wanted._block_document_name = name
        saved = before is not None and _fields(before) == _fields(wanted)
        bring_up = _brings_up(asked, served)
        new_server = bring_up and not served
        engine, compose = facts.engine or "none", facts.compose or "none"
        tell(f"{block.address}: {facts.machine}; Docker Engine {engine}, Compose {compose}.")
        _show(plan, {
            "control plane": f"slipway server up, as nothing answers at {api_url()}" if new_server else "",
            "block": "" if saved else f"save the droplet {name}: {_place(wanted)}; until now {_place(before)}",
            "edge": "Caddy at ports 80 and 443, where it is not so already" if asked.edge else "",
        })  # fmt: skip
        pending = bool(plan.steps) or not saved or new_server
        if asked.dry_run:
            tell("Nothing was changed." if pending or asked.edge else "Nothing to do.")
            return
        if (pending or asked.edge) and not asked.yes:
            confirm("Do this?")
        with _control_plane() if bring_up else nullcontext():
            done = set_up_machine(session, wish, tell)
            tell(f"{try_deploy_user(wanted)}.")
            if not saved:
                wanted.save(name, overwrite=True)
                tell(f"Saved the droplet {name}.")
            changed = _finish(wanted, asked)
    if not (done or changed or not saved):
        tell("Nothing to do: everything was there already, and nothing was changed.")
    else:
        tell("Next: slipway registry set, slipway environment set, slipway doctor (README, Run it for real).")


def _finish(droplet: "Droplet", asked: SetupRequest) -> bool:
    """The edge and the automations; returns whether anything changed."""
    from flows.cli.control.automations import show_automations
    from flows.cli.setup.edge import set_up_edge
    from flows.core.errors import DeploymentMissing
    from flows.settings import Settings
    from flows.tasks.control.automations import ensure_automations
    from flows.tasks.stack.project import stack_name

    changed = False
    if asked.edge:
        stack = stack_name(asked.stack or Settings().stack) if asked.url else ""
        changed = set_up_edge(droplet, asked.edge_image, asked.email, asked.tls, stack, asked.url)
    try:
        made = {**ensure_automations(Settings())}
    except DeploymentMissing as error:
        tell(f"No automations yet: {error}.")
        return changed
    new: dict[str, str] = {name: outcome for name, outcome in made.items() if outcome != "as it was"}
    show_automations(SummaryConsole(), new)
    return changed or bool(new)


def _show(plan: "SetupPlan", others: dict[str, str]) -> None:
    console = SummaryConsole()
    table = SummaryTable("step", "what is done", free_text=["what is done"])
    rows = {step.name: step.sentence for step in plan.steps}
    for name, sentence in {**rows, **others}.items():
        if sentence:
            table.add_row(name, sentence)
    if table.row_count:
        console.print(table)
    for sentence in plan.left:
        console.say(escape(f"Left as it is: {sentence}."))


def _host_key(block: "Droplet", before: "Droplet | None", asked: SetupRequest) -> str:
    """The pinned key of the same machine, or the one that it shows, after a yes."""
    if before is not None and before.host_key and (before.host, before.port) == (block.host, block.port):
        return before.host_key
    return confirmed_host_key(block, asked.yes)


def _read_key(file: Path) -> str:
    from flows.core.errors import SetupRefused

    path = file.expanduser()
    if not path.is_file() and not path.is_fifo():
        raise SetupRefused(f"there is no private key {file}. Name the one that opens the machine: --key-file PATH")
    return read_key_file(path)


def _server_answers() -> bool:
    import httpx

    try:
        return httpx.get(f"{api_url()}/health", timeout=_HEALTH_S, trust_env=False).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def _brings_up(asked: SetupRequest, served: bool) -> bool:
    """Whether the control plane of this machine is brought up, or up to date.

    Raises:
        ServerNeeded: none answers, and nobody wants one here.
    """
    from flows.core.errors import ServerNeeded

    if served or asked.control_plane or asked.dry_run:
        return bool(asked.control_plane)
    if asked.control_plane is None and not asked.yes:
        tell(f"No Prefect server answers at {api_url()}, and the droplet is saved there.")
        confirm("Start one here, with its worker (slipway server up)?")
        return True
    raise ServerNeeded(
        f"no Prefect server answers at {api_url()}, and the droplet is saved there; nothing was changed. Start one "
        "here: slipway setup … --control-plane, or slipway server up; or set PREFECT_API_URL"
    )


def _control_plane() -> AbstractContextManager[Any]:
    """Bring it up; from then on this process uses it."""
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    from flows.tasks.control.control_plane import default_directory, start_control_plane
    from flows.tasks.control.profile import ensure_profile

    plane = start_control_plane(tell, default_directory())
    login, _ = ensure_profile(plane.api)
    return temporary_settings({PREFECT_API_URL: plane.api, PREFECT_API_AUTH_STRING: login})


def _place(block: "Droplet | None") -> str:
    return f"{block.user}@{block.host}:{block.port}, {block.directory}" if block else "none"


def _fields(block: "Droplet") -> tuple[object, ...]:
    """What is compared of two blocks."""
    key = block.private_key.get_secret_value().strip()
    return block.host, block.port, block.user, block.host_key, block.directory, key
