"""`slipway settings`: each setting in effect, and where it was said."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from flows.cli.app import SET_UP, app
from flows.cli.terminal.console import SummaryConsole
from flows.cli.terminal.options import JsonOption, StackOption, WideOption
from flows.cli.terminal.runner import run_without_prefect
from flows.cli.terminal.tables import SummaryTable

if TYPE_CHECKING:
    from flows.settings.origins import SettingInEffect


@app.command("settings", rich_help_panel=SET_UP)
def slipway_settings(
    stack: StackOption = None,  # noqa: ARG001 — whose settings file is read with it: flows/cli/terminal/destination.py
    said: Annotated[bool, typer.Option("--said", help="Only those that somebody said; no defaults.")] = False,
    as_json: JsonOption = False,
    wide: WideOption = False,
) -> None:
    """Show each setting in effect, its value and where it comes from, and change nothing."""

    def work() -> "list[SettingInEffect]":
        from flows.settings.origins import settings_in_effect

        return [one for one in settings_in_effect() if one.said or not said]

    found = run_without_prefect(work)
    if as_json:
        print(json.dumps([_document(one) for one in found], indent=2))
    else:
        show_settings(SummaryConsole(wide=wide), found)


def show_settings(console: SummaryConsole, found: "Sequence[SettingInEffect]") -> None:
    """Group by group: key, value, and who said it; what stands at an old place below it."""
    table = SummaryTable("setting", "value", "from", free_text=["value", "from"])
    for one in found:
        name = f"{one.group}.{one.key}" if one.group else one.key
        value, style = _shown(one.value), "" if one.said else "dim"
        table.add_row(Text(name, style), value or '""', one.origin, below=one.old)
    if table.row_count:
        console.print(table)
    else:
        console.say("Nobody said any setting: the defaults are in effect.")


def _document(one: "SettingInEffect") -> dict[str, Any]:
    value = _masked(one.value)
    return {
        "name": one.name, "group": one.group, "key": one.key, "value": value, "from": one.origin, "old": one.old,
        "default": not one.said,
    }  # fmt: skip


def _shown(value: Any) -> str:
    known = _masked(value)
    return known if isinstance(known, str) else json.dumps(known)


def _masked(value: Any) -> Any:
    """The value as JSON has it; of an address without the password, and without what its query says."""
    from flows.core.secrets.masking import MASKED, Mask

    if isinstance(value, str | Path):
        text, sign, query = Mask()(str(value)).partition("?")
        return f"{text}?{MASKED}" if sign and query and "://" in text else f"{text}{sign}{query}"
    if isinstance(value, dict):
        return {str(name): _masked(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(one) for one in value]
    return value
