"""The scripts that put a stack's site in force at the edge, and that name the release a colour has.

They run under the droplet's lock, and may run twice. Caddy itself is asked before anything is put in force.
"""

from flows.core.droplet.docker_commands import PROJECT_LABEL
from flows.core.traffic.edge.places import CONFIG, PROJECT, EdgeDirectory

# Exit codes of our own, and what is printed last: whether anything is another than before.
REFUSED, NO_EDGE = 70, 71
CHANGED, SAME = "changed", "same"

# `ask` runs Caddy's own check of a configuration in the edge's container; `tell` puts the whole one in force.
_CADDY = f"""
set -u
umask 022
cd "$1" 2>/dev/null || exit {NO_EDGE}
edge=$(docker ps -q --no-trunc --filter label={PROJECT_LABEL}={PROJECT} | head -n 1)
[ -n "$edge" ] || exit {NO_EDGE}
ask() {{ caddy validate --config {CONFIG}/trial/Caddyfile; }}
tell() {{ caddy reload --config {CONFIG}/Caddyfile; }}
caddy() {{
    timeout --kill-after=5 60 docker exec "$edge" caddy "$@" --adapter caddyfile >config/said 2>&1 && return
    grep -E '^Error|"level":"error"' config/said | tail -n 3 | cut -c1-1000 >&2
    return 1
}}
"""
# Arguments: directory, stack. Standard input: its site, nothing for none. `unloaded` is there while what is written may
# not be what is in force: whoever was killed in between, the next puts it in force.
_PUT_SITE = (
    _CADDY
    + f"""
stack=$2 site=config/sites/$2.caddy
mkdir -p config/sites "state/$stack/release/green" "state/$stack/release/blue" || exit 73
rm -rf config/trial && mkdir config/trial && cp -R config/sites config/Caddyfile config/trial/ || exit 73
new=config/trial/sites/$stack.caddy
cat >"$new" || exit 73
[ -s "$new" ] || rm -f "$new"
alike() {{ if [ -e "$new" ]; then cmp -s "$new" "$site"; else [ ! -e "$site" ]; fi; }}
if alike && [ ! -e config/unloaded ]; then rm -rf config/trial config/said; echo {SAME}; exit; fi
ask || {{ rm -rf config/trial; exit {REFUSED}; }}
: >config/unloaded || exit 73
rm -f config/before
if [ -e "$site" ]; then cp -p "$site" config/before || exit 73; fi
if [ -e "$new" ]; then mv -fT "$new" "$site" || exit 73; else rm -f "$site"; fi
if ! tell; then
    if [ -e config/before ]; then mv -fT config/before "$site"; else rm -f "$site"; fi
    tell 2>/dev/null && rm -f config/unloaded
    rm -rf config/trial
    exit {REFUSED}
fi
rm -rf config/unloaded config/before config/trial config/said
echo {CHANGED}
"""
)
# Arguments: directory, stack, colour, tag. One rename: at no moment is there no name, and never for long are there two.
_MARK_RELEASE = f"""
set -eu
umask 022
mkdir -p "$1/state/$2/release/$3"
cd "$1/state/$2/release/$3"
if [ -e "$4" ]; then result={SAME}; else
    before='' result={CHANGED}
    for other in *; do if [ -e "$other" ]; then before=$other; fi; done
    if [ -n "$before" ]; then mv -fT "./$before" "./$4"; else : >"./$4"; fi
fi
for other in *; do if [ "$other" != "$4" ]; then rm -f "./$other"; result={CHANGED}; fi; done
echo "$result"
"""


def put_site_script(directory: EdgeDirectory, stack: str) -> list[str]:
    """The command that puts a stack's site in force if it differs; the site comes by standard input, '' removes it.

    Prints CHANGED or SAME at its end. Exit codes: REFUSED (Caddy's words are in standard error, and what was in force
    is), NO_EDGE.
    """
    return ["sh", "-c", _PUT_SITE, "slipway-edge", directory.path, stack]


def mark_release_script(directory: EdgeDirectory, stack: str, colour: str, tag: str) -> list[str]:
    """The command that names the release that a colour has, for the edge's answers and its log. Prints as above."""
    return ["sh", "-c", _MARK_RELEASE, "slipway-edge", directory.path, stack, colour, tag]
