"""`slipway switch`: save the traffic switch, and try it."""

from typing import Annotated

import typer

from flows.running import run_flow

switch_app = typer.Typer(no_args_is_help=True, help="The traffic switch: what sends traffic to a colour.")


@switch_app.command("add")
def add_switch(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    url: Annotated[str, typer.Option(help="The one stable address that clients use.")],
    host: Annotated[str, typer.Option(metavar="DROPLET", help="The Droplet block of the machine that Caddy runs on.")],
    directory: Annotated[str, typer.Option(help="Where the state file lies there.")] = "/var/lib/slipway-edge",
    probe_path: Annotated[str, typer.Option(help="GET path that is asked through it.")] = "/health",
) -> None:
    """Save a Caddy that is switched by a state file (docs/BLUE_GREEN_DEPLOYMENT.md has its Caddyfile)."""

    def work() -> None:
        from blocks import CaddySwitch
        from flows.tasks.saved import load_droplet

        switch = CaddySwitch(url=url, host=load_droplet(host), directory=directory, probe_path=probe_path)
        switch.save(name, overwrite=True)
        print(f"Saved the traffic switch {name}. Trying it.")
        print(f"{switch.reach()}.")
        print(f"Name it in the settings: SLIPWAY_SWITCH={name}")

    run_flow(work, False, quiet=True)
