# shellcheck shell=bash
# Packages of Debian and Ubuntu: which release this is, where its mirror is, and how to install.

TRIXIE_SOURCE=/etc/apt/sources.list.d/slipway-trixie.sources
TRIXIE_PIN=/etc/apt/preferences.d/slipway-trixie

# distribution: "debian 12", "debian 13", "ubuntu 24.04" …, or nothing where apt does not reign.
distribution() (
    command -v apt-get >/dev/null && [[ -r /etc/os-release ]] || return 0
    # shellcheck disable=SC1091
    . /etc/os-release
    case "$ID ${VERSION_ID:-}" in
        debian\ 12 | debian\ 13 | ubuntu\ *) printf '%s %s\n' "$ID" "$VERSION_ID" ;;
    esac
)

# own_mirror: "ADDRESS KEYRING" of the machine's own Debian source.
own_mirror() {
    local codename mirror entry keyring
    # shellcheck disable=SC1091
    codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    # shellcheck disable=SC2016
    read -r mirror entry < <(
        apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(RELEASE)=$(CODENAME) $(REPO_URI) $(SOURCESENTRY)' |
            awk -v name="$codename" '$1 == "Packages" && $2 == "main" && ($3 ~ "^"name"=" || $3 ~ "="name"$") { print $4, $5; exit }'
    ) || return
    keyring=$(grep -ioPm1 'signed-by[:=]\s*\K/[^] ]+' "${entry%:*}") || keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    printf '%s %s\n' "${mirror%/}" "$keyring"
}

# add_trixie: Debian 12's own Compose is too old. The newer suite stands beside it, below everything
# else in priority, so that nothing is taken from it that is not asked for by name.
add_trixie() {
    local mirror keyring
    [[ -e $TRIXIE_SOURCE && -e $TRIXIE_PIN ]] && return
    read -r mirror keyring < <(own_mirror) || fail "apt knows no Debian mirror on this machine. Add one to its sources."
    {
        printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\n' "$mirror"
        printf 'Signed-By: %s\n' "$keyring"
    } | as_root tee "$TRIXIE_SOURCE" >/dev/null
    printf 'Package: *\nPin: release n=trixie\nPin-Priority: 50\n' | as_root tee "$TRIXIE_PIN" >/dev/null
}

# apt_get WORD…: one at a time, as the steps of the set-up run side by side.
apt_get() { as_root flock "$RUN/apt.lock" env DEBIAN_FRONTEND=noninteractive apt-get "$@"; }
apt_install() { apt_get install -y -q --no-install-recommends "$@"; }

# install_packages NAME…: with the lists as they are, else with fresh ones. A foreign source that does
# not answer is no reason to stop: what matters is whether the packages are found.
install_packages() {
    apt_install "$@" || { apt_get update -q || true; apt_install "$@"; }
}

install_engine() {
    local names=(docker.io docker-cli docker-compose docker-buildx)
    case $(distribution) in
        'debian 12')
            add_trixie
            apt_get update -q || true
            apt_install "${names[@]/%//trixie}" cosign/trixie runc containerd iptables tini ca-certificates mmdebstrap
            ;;
        'debian 13') install_packages "${names[@]}" cosign iptables tini ca-certificates mmdebstrap ;;
        *) install_packages docker.io docker-compose-v2 docker-buildx iptables ca-certificates ;;
    esac
}
