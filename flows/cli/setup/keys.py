"""`slipway keys`: the key that releases are signed with, and the keys that are trusted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.app import SET_UP, app
from flows.cli.terminal.console import SummaryConsole, tell
from flows.cli.terminal.destination import CommandGroup
from flows.cli.terminal.options import WideOption
from flows.cli.terminal.runner import run_callable
from flows.cli.terminal.tables import SummaryTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blocks import SigningKey
    from blocks.signing.trusted_keys import TrustedKey

keys_app = CommandGroup(no_args_is_help=True, help="The keys that releases are signed with.")
app.add_typer(keys_app, name="keys", rich_help_panel=SET_UP)

KmsOption = Annotated[
    str, typer.Option(help="A key in a KMS, as cosign names it: awskms:///alias/slipway, hashivault://slipway.")
]
FORMAT_HELP = "A public key in PEM form, such as cosign.pub."


@keys_app.command("generate")
def slipway_keys_generate(kms: KmsOption = "") -> None:
    """Make a key pair, or take a key of a KMS: releases are signed with it from now on, and must be to be deployed."""
    key = run_callable(lambda: _generate(kms, replace=False), quiet=True)
    tell(f"Releases are signed with {key.fingerprint} from now on, and what is not is refused.")
    tell(
        "What stands on droplets already can still be rolled back to. Keep a copy of the public key: slipway keys show"
    )


@keys_app.command("rotate")
def slipway_keys_rotate(kms: KmsOption = "") -> None:
    """Sign with a new key from now on. What the old one has signed stays trusted until you say otherwise."""
    key = run_callable(lambda: _generate(kms, replace=True), quiet=True)
    tell(f"Releases are signed with {key.fingerprint} from now on; those of the key before are trusted still.")
    tell("Once nothing that it signed is needed any more: slipway keys show, slipway keys trust --remove FINGERPRINT")


@keys_app.command("trust")
def slipway_keys_trust(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help=FORMAT_HELP)] = None,
    remove: Annotated[str, typer.Option(metavar="FINGERPRINT", help="Trust this key no more.")] = "",
) -> None:
    """Trust another public key, such as that of a worker that builds elsewhere; or trust one no more."""
    if (file is None) == (not remove):
        raise typer.BadParameter("give FILE or --remove FINGERPRINT, one of them")

    def change() -> "tuple[TrustedKey, Sequence[TrustedKey]]":
        from flows.core.errors import KeyUnusable
        from flows.settings import Settings
        from flows.tasks.runs.blocks import load_trusted_keys
        from flows.tasks.trust.keys import distrust_key, trust_key

        settings = Settings()
        if file is None:
            return distrust_key(settings, remove), load_trusted_keys(settings)
        try:
            text = file.read_text()
        except (OSError, UnicodeError) as error:
            raise KeyUnusable(f"{file} cannot be read: {error}") from None
        return trust_key(settings, text), load_trusted_keys(settings)

    changed, trusted = run_callable(change, quiet=True)
    tell(f"{changed.fingerprint} is trusted {'no more' if remove else 'now'}. Trusted keys: {len(trusted)}.")


@keys_app.command("show")
def slipway_keys_show(wide: WideOption = False) -> None:
    """Show the keys that are trusted, which of them signs, and each public key as others need it."""

    def find() -> "tuple[SigningKey | None, Sequence[TrustedKey]]":
        from flows.settings import Settings
        from flows.tasks.runs.blocks import load_signing_key, load_trusted_keys

        settings = Settings()
        return load_signing_key(settings), load_trusted_keys(settings)

    signing, trusted = run_callable(find, quiet=True)
    show_keys(SummaryConsole(wide=wide), signing, trusted)


def show_keys(console: SummaryConsole, signing: "SigningKey | None", trusted: "Sequence[TrustedKey]") -> None:
    """The trusted keys as a table, then each public key."""
    if not trusted and signing is None:
        console.say("No key is saved: releases are neither signed nor verified. Make one: slipway keys generate")
        return
    table = SummaryTable("fingerprint", "since", "signs", free_text=["fingerprint"])
    own = signing.fingerprint if signing else ""
    for key in trusted:
        table.add_row(key.fingerprint, key.since[:10], "yes" if key.fingerprint == own else "")
    console.print(table)
    if signing and own not in [key.fingerprint for key in trusted]:
        console.say(f"[red]The key that signs is not trusted:[/red] {own}. slipway keys trust FILE")
    for key in trusted:
        console.say(f"{key.public_key.strip()}")


def _generate(kms: str, *, replace: bool) -> "SigningKey":
    from flows.settings import Settings
    from flows.tasks.trust.keys import generate_key

    return generate_key(Settings(), kms, replace=replace)
