"""The state file of a Caddy, and that of a share beside it: scripts that read and change them, and what they print."""

import contextlib
import re

from blocks.http.content import read_json
from blocks.traffic.state import Share, SwitchState

COLOURS = ("green", "blue")
CLIENT_IMPACT = "The next request goes to the new colour; requests and streams under way end where they began."
MOVED = 75  # and 73: the directory cannot be used
_SHARE = re.compile(r"canary-(green|blue)-([0-9]{2})")

# The name and the content of each state file, and of each share's, in characters that come back as they went.
_LOOK = """
look() {
    for colour in green blue; do
        if [ -e "$colour" ]; then printf '%s %s\\n' "$colour" "$(head -c 2000 "$colour" | tr -cd ' -~')"; fi
    done
}
shares() {
    for share in canary-*; do
        if [ -e "$share" ]; then printf '%s %s\\n' "$share" "$(head -c 2000 "$share" | tr -cd ' -~')"; fi
    done
}
"""
# Prints them. Argument: directory. A rename meanwhile would show neither file, or both: what is seen twice counts.
READ = (
    _LOOK
    + """
cd "$1" || exit 73
seen=$(look; shares)
for _ in 1 2 3 4 5 6 7 8 9; do
    before=$seen seen=$(look; shares)
    [ "$seen" != "$before" ] || break
done
[ -z "$seen" ] || printf '%s\\n' "$seen"
"""
)
_LOCKED = (
    """
cd "$1" && command exec 9>>lock || exit 73
flock -w 10 9 || exit 73
"""
    + _LOOK
)
# Arguments: directory, colour, the two lines that `read` must still give. Standard input: the file's new content.
# The content goes into the file that is there, and only then one rename moves it: that is the flip. It ends each share.
TURN = (
    """
read -r content
to=$2 from=blue
[ "$to" = blue ] && from=green
"""
    + _LOCKED
    + """
[ "$(look)" = "$3" ] || exit 75
if [ -e "$to" ]; then
    [ ! -e "$from" ] || rm -f "$from"
elif [ -e "$from" ]; then
    printf '%s\\n' "$content" >"$from" && sync "$from" 2>/dev/null; mv -fT "$from" "$to" || exit 73
else
    printf '%s\\n' "$content" >"$to.new" && mv -fT "$to.new" "$to" || exit 73
fi
rm -f canary-*
"""
    + READ
)
# Arguments: directory, the share's file, the lines that `read` must still give: of the colours, and of the share.
# Standard input: the file's content. The new file is there before the old one goes, so that nobody leaves the share.
SET_SHARE = (
    "read -r content\n"
    + _LOCKED
    + """
[ "$(look)" = "$3" ] && [ "$(shares)" = "$4" ] || exit 75
printf '%s\\n' "$content" >share.new && mv -fT share.new "$2" || exit 73
for share in canary-*; do [ "$share" = "$2" ] || rm -f "$share"; done
"""
    + READ
)
# Argument: directory.
END_SHARE = _LOCKED + "rm -f canary-* || exit 73\n" + READ


def share_file(colour: str, percent: int) -> str:
    """The name of a share's file."""
    return f"canary-{colour}-{percent:02}"


def read_switch_files(output: str) -> SwitchState:
    """Parse what `READ` printed: a name and one line of JSON for each file that is there."""
    lines = output.splitlines()
    active = [line for line in lines if line.partition(" ")[0] in COLOURS]
    shares = [line for line in lines if _SHARE.fullmatch(line.partition(" ")[0])]
    share = None
    if shares and (found := _SHARE.match(shares[0])):
        share = Share(found[1], int(found[2]), "\n".join(shares), _by(shares[:1]))
    return SwitchState(tuple(line.partition(" ")[0] for line in active), "\n".join(active), _by(active), share)


def _by(lines: list[str]) -> str:
    by = ""
    for line in lines:
        with contextlib.suppress(ValueError, AttributeError):
            by = str(read_json(line.partition(" ")[2]).get("by", ""))
    return by
