"""`slipway switch`: save the traffic switch, and try it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.app import SET_UP, app
from flows.cli.setup.saving import NameArgument, load_named_account
from flows.cli.terminal.console import tell
from flows.cli.terminal.destination import CommandGroup
from flows.cli.terminal.runner import run_callable

if TYPE_CHECKING:
    from blocks.traffic.switch import TrafficSwitch

switch_app = CommandGroup(no_args_is_help=True, help="The traffic switch: what sends traffic to a colour.")
app.add_typer(switch_app, name="switch", rich_help_panel=SET_UP)

UrlOption = Annotated[str, typer.Option(help="The one stable address that clients use.")]
GreenOption = Annotated[
    str, typer.Option(metavar="NAMES", help="Green's droplets as DigitalOcean knows them, by comma.")
]
BlueOption = Annotated[str, typer.Option(metavar="NAMES", help="Blue's.")]
ProbePathOption = Annotated[str, typer.Option(help="GET path that is asked through it.")]
UntriedOption = Annotated[bool, typer.Option("--untried", help="Save it though its droplets are not there yet.")]


@switch_app.command("add")
def slipway_switch_add(
    name: NameArgument,
    url: UrlOption,
    host: Annotated[str, typer.Option(metavar="DROPLET", help="The Droplet block of the machine that Caddy runs on.")],
    directory: Annotated[str, typer.Option(help="Where the state file lies there.")] = "/var/lib/slipway-edge",
    probe_path: ProbePathOption = "/health",
) -> None:
    """Save a Caddy that is switched by a state file (docs/BLUE_GREEN_DEPLOYMENT.md has its Caddyfile)."""

    def save() -> None:
        from blocks import CaddySwitch
        from flows.tasks.runs.blocks import load_droplet

        switch = CaddySwitch(url=url, host=load_droplet(host), directory=directory, probe_path=probe_path)
        switch.save(name, overwrite=True)
        tell(f"Saved the traffic switch {name}. Trying it.")
        tell(f"{switch.reach()}.")
        tell(f"Name it in the settings: SLIPWAY_SWITCH={name}")

    run_callable(save, quiet=True)


@switch_app.command("add-load-balancer")
def slipway_switch_add_load_balancer(
    name: NameArgument,
    url: UrlOption,
    balancer: Annotated[str, typer.Option(help="Its name or id.")],
    green: GreenOption = "green",
    blue: BlueOption = "blue",
    probe_path: ProbePathOption = "/health",
    untried: UntriedOption = False,
) -> None:
    """Save a DigitalOcean load balancer that one colour's droplets are behind."""

    def save() -> None:
        from blocks import LoadBalancerSwitch

        given = _at_digitalocean(url, probe_path, green, blue)
        _save(name, LoadBalancerSwitch(balancer=balancer, **given), untried)

    run_callable(save, quiet=True)


@switch_app.command("add-dns")
def slipway_switch_add_dns(
    name: NameArgument,
    url: UrlOption,
    domain: Annotated[str, typer.Option(help="The domain at DigitalOcean.")],
    record: Annotated[str, typer.Option(help="The full name that clients use.")],
    green: GreenOption = "green",
    blue: BlueOption = "blue",
    ttl: Annotated[int, typer.Option(min=30, help="Seconds for which clients may keep the answer.")] = 1800,
    low_ttl: Annotated[int, typer.Option(min=30, help="The same while it is being turned.")] = 30,
    name_servers: Annotated[str, typer.Option(help="HOST[:PORT], by comma; default: DigitalOcean's.")] = "",
    probe_path: ProbePathOption = "/health",
    untried: UntriedOption = False,
) -> None:
    """Save a DNS record at DigitalOcean that has the address of one colour's droplet."""

    def save() -> None:
        from blocks import DnsSwitch

        given = _at_digitalocean(url, probe_path, green, blue)
        servers = {"name_servers": name_servers.split(",")} if name_servers else {}
        _save(name, DnsSwitch(domain=domain, record=record, ttl=ttl, low_ttl=low_ttl, **servers, **given), untried)

    run_callable(save, quiet=True)


@switch_app.command("add-reserved-ip")
def slipway_switch_add_reserved_ip(
    name: NameArgument,
    url: UrlOption,
    ip: Annotated[str, typer.Option(help="The address.")],
    green: GreenOption = "green",
    blue: BlueOption = "blue",
    probe_path: ProbePathOption = "/health",
    untried: UntriedOption = False,
) -> None:
    """Save a DigitalOcean reserved IP that one colour's droplet has."""

    def save() -> None:
        from blocks import ReservedIpSwitch

        _save(name, ReservedIpSwitch(ip=ip, **_at_digitalocean(url, probe_path, green, blue)), untried)

    run_callable(save, quiet=True)


def _at_digitalocean(url: str, probe_path: str, green: str, blue: str) -> dict[str, Any]:
    """Fields that DigitalOcean's switches share."""
    droplets = {"green": green.split(","), "blue": blue.split(",")}
    return {"url": url, "probe_path": probe_path, "droplets": droplets, "account": load_named_account()}


def _save(name: str, switch: "TrafficSwitch", untried: bool) -> None:
    if not untried:
        tell(f"{switch.reach()}.")
    switch.save(name, overwrite=True)
    tell(f"Saved the traffic switch {name}. {switch.client_impact}")
    tell(f"Name it in the settings: SLIPWAY_SWITCH={name}")
