"""`slipway switch`: save the traffic switch, and try it."""

from typing import Annotated, Any

import typer

from flows.cli.terminal.runner import run_flow

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
        from flows.tasks.runs.blocks import load_droplet

        switch = CaddySwitch(url=url, host=load_droplet(host), directory=directory, probe_path=probe_path)
        switch.save(name, overwrite=True)
        print(f"Saved the traffic switch {name}. Trying it.")
        print(f"{switch.reach()}.")
        print(f"Name it in the settings: SLIPWAY_SWITCH={name}")

    run_flow(work, False, quiet=True)


Url = Annotated[str, typer.Option(help="The one stable address that clients use.")]
Green = Annotated[str, typer.Option(metavar="NAMES", help="Green's droplets as DigitalOcean knows them, by comma.")]
Blue = Annotated[str, typer.Option(metavar="NAMES", help="Blue's.")]
ProbePath = Annotated[str, typer.Option(help="GET path that is asked through it.")]
Untried = Annotated[bool, typer.Option("--untried", help="Save it though its droplets are not there yet.")]
Name = Annotated[str, typer.Argument(metavar="NAME")]


@switch_app.command("add-load-balancer")
def add_load_balancer(
    name: Name,
    url: Url,
    balancer: Annotated[str, typer.Option(help="Its name or id.")],
    green: Green = "green",
    blue: Blue = "blue",
    probe_path: ProbePath = "/health",
    untried: Untried = False,
) -> None:
    """Save a DigitalOcean load balancer that one colour's droplets are behind."""

    def work() -> None:
        from blocks import LoadBalancerSwitch

        given = _at_digitalocean(url, probe_path, green, blue)
        _save(name, LoadBalancerSwitch(balancer=balancer, **given), untried)

    run_flow(work, False, quiet=True)


@switch_app.command("add-dns")
def add_dns(
    name: Name,
    url: Url,
    domain: Annotated[str, typer.Option(help="The domain at DigitalOcean.")],
    record: Annotated[str, typer.Option(help="The full name that clients use.")],
    green: Green = "green",
    blue: Blue = "blue",
    ttl: Annotated[int, typer.Option(min=30, help="Seconds for which clients may keep the answer.")] = 1800,
    low_ttl: Annotated[int, typer.Option(min=30, help="The same while it is being turned.")] = 30,
    name_servers: Annotated[str, typer.Option(help="HOST[:PORT], by comma; default: DigitalOcean's.")] = "",
    probe_path: ProbePath = "/health",
    untried: Untried = False,
) -> None:
    """Save a DNS record at DigitalOcean that has the address of one colour's droplet."""

    def work() -> None:
        from blocks import DnsSwitch

        given = _at_digitalocean(url, probe_path, green, blue)
        servers = {"name_servers": name_servers.split(",")} if name_servers else {}
        _save(name, DnsSwitch(domain=domain, record=record, ttl=ttl, low_ttl=low_ttl, **servers, **given), untried)

    run_flow(work, False, quiet=True)


@switch_app.command("add-reserved-ip")
def add_reserved_ip(
    name: Name,
    url: Url,
    ip: Annotated[str, typer.Option(help="The address.")],
    green: Green = "green",
    blue: Blue = "blue",
    probe_path: ProbePath = "/health",
    untried: Untried = False,
) -> None:
    """Save a DigitalOcean reserved IP that one colour's droplet has."""

    def work() -> None:
        from blocks import ReservedIpSwitch

        _save(name, ReservedIpSwitch(ip=ip, **_at_digitalocean(url, probe_path, green, blue)), untried)

    run_flow(work, False, quiet=True)


def _at_digitalocean(url: str, probe_path: str, green: str, blue: str) -> dict[str, Any]:
    from flows.settings import Settings
    from flows.tasks.runs.blocks import load_account

    droplets = {"green": green.split(","), "blue": blue.split(",")}
    return {"url": url, "probe_path": probe_path, "droplets": droplets, "account": load_account(Settings())}


def _save(name: str, switch: Any, untried: bool) -> None:
    if not untried:
        print(f"{switch.reach()}.")
    switch.save(name, overwrite=True)
    print(f"Saved the traffic switch {name}. {switch.client_impact}")
    print(f"Name it in the settings: SLIPWAY_SWITCH={name}")
