"""Private directories of scripts on a droplet: what a killed script left of logins and secrets, the next removes."""

# `private DIRECTORY` makes one there; `$place` is it, mode 0700. While its script lives, it locks a file in it.
# `sweep DIRECTORY…` removes those of our own user that nobody holds any more.
PRIVATE_PLACE = """\
sweep() {
    for base; do for left in "$base"/slipway-private.*; do
        if [ -d "$left" ] && [ ! -L "$left" ] && [ "$(stat -c %u "$left")" = "$(id -u)" ]; then
            (flock -n 7 && rm -rf "$left") 7<"$left/held"
        fi
    done; done 2>/dev/null
    return 0
}
private() {
    place=$(umask 077; mktemp -d "$1/slipway-private.XXXXXXXXXX" 2>/dev/null) || return
    exec 7>"$place/held" && flock -n 7
}
"""
