"""Scripts and user data for a new droplet: a host key to verify it by, and the installation of Docker."""

import yaml

# Where sshd keeps its ed25519 key; a new one is made beside it, shown, and only then put in its place.
_NEW_KEY = """
set -eu
key=$(sshd -T 2>/dev/null | awk '$1 == "hostkey" && $2 ~ /ed25519/ {print $2; exit}')
key=${key:-/etc/ssh/ssh_host_ed25519_key}
"""
MAKE_HOST_KEY = (
    _NEW_KEY
    + """
[ -s "$key.slipway" ] || ssh-keygen -q -t ed25519 -N '' -C '' -f "$key.slipway"
cat "$key.slipway.pub"
"""
)
# The reload comes a moment later, so that this command still ends well.
USE_HOST_KEY = (
    _NEW_KEY
    + """
mv -f "$key.slipway.pub" "$key.pub"; mv -f "$key.slipway" "$key"
(sleep 0.5; systemctl reload ssh 2>/dev/null || systemctl reload sshd 2>/dev/null || kill -HUP "$(pgrep -o -x sshd)") \\
    >/dev/null 2>&1 &
"""
)
ENGINE = "docker version --format '{{.Server.Version}}' && docker compose version --short"
# Debian's and Ubuntu's own packages; the first name that there is.
INSTALL_ENGINE = """
set -eu
export DEBIAN_FRONTEND=noninteractive
command -v cloud-init >/dev/null && cloud-init status --wait >/dev/null 2>&1 || true
apt-get update -q >/dev/null
compose=$(for name in docker-compose-v2 docker-compose-plugin docker-compose; do
    apt-cache show "$name" >/dev/null 2>&1 && echo "$name" && break; done)
client=$(apt-cache show docker-cli >/dev/null 2>&1 && echo docker-cli || true)
apt-get install -y -q --no-install-recommends docker.io $client "$compose" >/dev/null
systemctl enable --now docker >/dev/null 2>&1 || true
"""


def cloud_config(private: str, public: str) -> str:
    """cloud-init user data that gives the droplet this host key, and no other.

    Source: https://cloudinit.readthedocs.io/en/latest/reference/modules.html#ssh
    """
    keys = {"ed25519_private": private, "ed25519_public": public}
    return "#cloud-config\n" + yaml.safe_dump({"ssh_deletekeys": True, "ssh_genkeytypes": [], "ssh_keys": keys})


def missing_firewalls(firewalls: dict[str, tuple[str, ...]], tags: tuple[str, ...]) -> list[str]:
    """Firewalls that guard the old droplet and would not guard a new one with these tags.

    Args:
        firewalls: name → the tags it is attached by.
    """
    return sorted(name for name, attached in firewalls.items() if not set(attached) & set(tags))


NOT_YET = "192.0.2.0"  # an address that nothing has, until the droplet has one
