"""The script that pulls images onto a droplet, with a registry login that it removes afterwards."""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from flows.core.answers import reads
from flows.core.droplet.docker_commands import login
from flows.core.droplet.private_place import PRIVATE_PLACE
from flows.core.registry.references import split_reference

# Our own exit codes; Docker does not use them.
LOGIN_FAILED = 77
PULL_FAILED = 78
# How a line begins that says how long a pull took.
PULLED = "slipway-pulled"
# A `date` that knows no nanoseconds prints the N as it stands.
_TIME = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


@dataclass(frozen=True)
class RegistryLogin:
    """The registry and the user to log in as; the password comes by standard input."""

    host: str
    user: str


def pull_script(references: Sequence[str], account: RegistryLogin) -> str:
    """The script that pulls images by digest, side by side, and tags each.

    To the engine an image known by its digest only is dangling: any `docker image prune` would remove it, and with it
    the release to roll back to. The logins of the droplet's own user count too; that configuration is left alone.

    Each pull says when it began and ended, by the droplet's clock: `read_pulls`.

    Exit codes: LOGIN_FAILED, or PULL_FAILED after all the others were tried; the reason is in standard error.
    """
    quoted = [shlex.quote(reference) for reference in references]
    lines = [
        "set -u",
        "umask 077",
        PRIVATE_PLACE,
        'sweep /dev/shm "${TMPDIR:-/tmp}"',
        'private "${TMPDIR:-/tmp}" || exit 1',
        "config=$place",
        # Its group is told to end, so the `rm` is told too, and must not hear it: the login would stay.
        'trap \'trap "" HUP INT TERM; rm -rf "$config"\' EXIT',
        "trap 'exit 129' HUP INT TERM",
        'if [ -d "$HOME/.docker/cli-plugins" ]; then ln -s "$HOME/.docker/cli-plugins" "$config/cli-plugins"; fi',
        "own=$HOME/.docker/config.json",
        f'if [ -f "$own" ]; then {_without_stores(account.host)} "$own" >"$config/config.json"; fi',
        'export DOCKER_CONFIG="$config"',
        f'if ! {shlex.join(login(account.host, account.user))} >/dev/null 2>"$config/said"; then',
        f'  cat "$config/said" >&2; exit {LOGIN_FAILED}',
        "fi",
        "code=0 pids=",
        *[f'{{ {_timed_pull(reference)}; }} & pids="$pids $!"' for reference in quoted],
        f'for pid in $pids; do wait "$pid" || code={PULL_FAILED}; done',
        '[ "$code" = 0 ] || exit "$code"',
        *[
            f"docker tag {shlex.quote(reference)} {shlex.quote(keep_tag(reference))} || exit"
            for reference in references
        ],
    ]
    return "\n".join(lines) + "\n"


def _timed_pull(quoted: str) -> str:
    return (
        f"began=$(date +%s.%N); docker pull --quiet {quoted} || exit; "
        f'printf \'%s %s %s %s\\n\' {PULLED} {quoted} "$began" "$(date +%s.%N)"'
    )


@reads("what the pulls of images printed")
def read_pulls(output: str) -> dict[str, float | None]:
    """Parse the output of `pull_script`: reference → seconds; None where the droplet's clock does not say."""
    lines = (line.split() for line in output.splitlines() if line.startswith(f"{PULLED} "))
    return {words[1]: _seconds(words[2:]) for words in lines if len(words) >= 2}


def _seconds(times: Sequence[str]) -> float | None:
    if len(times) != 2 or not all(_TIME.fullmatch(one) for one in times):
        return None
    took = float(times[1]) - float(times[0])
    return round(took, 3) if took >= 0 else None


def _without_stores(host: str) -> str:
    """The `sed` that removes credential stores for this login from a Docker configuration.

    A store would keep the password on the droplet for good. Stores of other registries stay.
    """
    name = re.sub(r"[.[]", r"[\g<0>]", host)
    return shlex.join(["sed", "-e", 's/"credsStore"/"-"/', "-e", f's/"{name}"\\([[:space:]]*:[[:space:]]*"\\)/"-"\\1/'])


def keep_tag(reference: str) -> str:
    """The local tag that keeps an image pulled by digest from being dangling."""
    repository, digest = split_reference(reference)
    return f"{repository}:slipway-{digest.removeprefix('sha256:')[:16]}"
