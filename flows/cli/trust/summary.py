"""The summary of an image's origin: what it is, who built it from what, what is in it, where it runs."""

from typing import TYPE_CHECKING

from rich.markup import escape

from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.tables import SummaryTable

if TYPE_CHECKING:
    from flows.core.trust.bases import BaseImage
    from flows.core.trust.origin import ImageOrigin
    from flows.core.trust.provenance import Provenance

# Packages that are shown unless all are asked for.
_FIRST = 10


def provenance_summary(console: SummaryConsole, found: "ImageOrigin", *, packages: bool = False) -> None:
    """What an image is, who built it from what, what is in it, and since when it runs here.

    Args:
        packages: list them all.
    """
    table = SummaryTable("what", "", free_text=[""])
    table.add_row("image", found.image)
    table.add_row("digest", found.digest)
    table.add_row("verified", found.verified or "no: nothing that is signed says what it is")
    if found.provenance is not None:
        _add_provenance(table, found.provenance)
    console.print(table)
    if found.provenance is None:
        console.say("[yellow]No provenance is attested: nobody says who built it from what.[/yellow]")
    _show_packages(console, found, everything=packages)
    _show_running(console, found)


def _add_provenance(table: SummaryTable, built: "Provenance") -> None:
    asked, source, run = built.parameters, built.source, built.run
    table.add_row("release", " ".join(filter(None, (asked.stack, asked.tag))))
    table.add_row("service", asked.service)
    if source.commit:
        dirty = ", and changes beside it" if source.dirty else ""
        table.add_row("commit", source.commit + dirty)
    for name, value in (("remote", source.remote), ("ref", asked.ref), ("files", ", ".join(asked.compose_files))):
        if value:
            table.add_row(name, value)
    for base in built.bases:
        table.add_row("base", _base(base))
    version = f", Slipway {run.slipway}" if run.slipway else ""
    table.add_row("built by", f"{run.by or built.builder}{version}")
    if run.started:
        ended = f" to {run.finished}" if run.finished else ""
        table.add_row("built", run.started + ended)
    if run.url:
        table.add_row("run", run.url)


def _base(base: "BaseImage") -> str:
    if base.digest:
        return base.reference if base.digest in base.reference else f"{base.reference} {base.digest}"
    return f"{base.reference} {f'image id {base.image_id}' if base.image_id else '(digest unknown)'}"


def _show_packages(console: SummaryConsole, found: "ImageOrigin", *, everything: bool) -> None:
    if found.packages is None:
        console.say("[yellow]No SBOM is attested: nobody says what is in it.[/yellow]")
        return
    counts = ", ".join(f"{count} {escape(kind)}" for kind, count in found.counts.items())
    console.say(f"[bold]{len(found.packages)} packages[/bold]{f': {counts}' if counts else ''}")
    table = SummaryTable("kind", "package", "version", "license")
    for package in found.packages if everything else found.packages[:_FIRST]:
        table.add_row(package.kind, package.name, package.version, package.license)
    if table.row_count:
        console.print(table)
    if (rest := len(found.packages) - table.row_count) > 0:
        console.say(f"[dim]{rest} more: --packages[/dim]")
    for sentence in found.unread:
        console.say(f"[yellow]not listed: {escape(sentence)}[/yellow]")


def _show_running(console: SummaryConsole, found: "ImageOrigin") -> None:
    if not found.running:
        console.say("It runs on no droplet.")
        return
    table = SummaryTable("runs on", "service", "release", "since")
    for one in found.running:
        table.add_row(one.droplet, one.service, one.tag, one.since[:19].replace("T", " ") or "unknown")
    console.print(table)
