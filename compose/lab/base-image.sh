#!/usr/bin/env bash
# The image that the lab's and the sample's Dockerfiles start from: pulled, or where no Docker Hub
# can be reached, made from the distribution's packages.
. "$(dirname "$0")/common.sh"
. "$LAB_DIR/packages.sh"

IMAGE=debian:trixie-slim
MADE=$SLIPWAY_STATE/lab/base-image # the id of the image we made: what `make down` may remove

exists() { docker image inspect --format '{{.Id}}' $IMAGE >/dev/null 2>&1; }

make_image() {
    local tar mirror="" keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    tar=$(mktemp "${TMPDIR:-/tmp}/slipway-base.XXXXXX.tar")
    # shellcheck disable=SC2064
    trap "rm -f '$tar'" EXIT
    # Without a mirror of this machine's own, mmdebstrap knows where Debian is.
    [[ $(distribution) != debian* ]] || read -r mirror _ < <(own_mirror) || mirror=""
    as_root mmdebstrap --quiet --variant=minbase --include=ca-certificates --keyring="$keyring" trixie "$tar" ${mirror:+"$mirror"}
    docker import "$tar" $IMAGE | tee "$MADE"
}

exec 9>"$RUN/base-image.lock"
flock 9
if exists || timeout 300 docker pull -q $IMAGE >"$LOGS/base-image.log" 2>&1; then exit; fi
[[ -n $(distribution) ]] || fail "$IMAGE cannot be pulled, and without Debian or Ubuntu it cannot be made here."
can_be_root || fail "$IMAGE cannot be pulled, and making it from packages takes root."
say "Docker Hub does not answer: making $IMAGE from Debian's packages (about 25 s)."
if ! command -v mmdebstrap >/dev/null || [[ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
    logged base-image-tools install_packages mmdebstrap debian-archive-keyring
fi
logged base-image make_image
