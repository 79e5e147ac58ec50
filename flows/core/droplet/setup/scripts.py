"""The scripts of `slipway setup`, run as root by standard input. Each may run twice, and after it was cut off."""

import shlex

from flows.core.droplet.setup.facts import DAEMON_FILE, RESTART_MARK
from flows.core.droplet.setup.packages import Packages

SWAP_FILE = "/slipway.swap"
# Exit codes of our own.
CHANGED_MEANWHILE, NOT_TAKEN, NO_ANSWER = 73, 74, 75
_LOCK = "/run/slipway-setup.lock"
_LOCK_S = 300
# Somebody's configuration of a package stays, and nobody is asked about it.
_KEEP = "-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
_APT = f"apt-get -o DPkg::Lock::Timeout=240 {_KEEP}"
# What apt was told to do when it was cut off is finished first. A source that does not answer is no reason to stop.
_INSTALL = f"""\
export DEBIAN_FRONTEND=noninteractive
if command -v cloud-init >/dev/null; then timeout 300 cloud-init status --wait >/dev/null 2>&1 || true; fi
install_packages() {{ {_APT} install -y -q --no-install-recommends "$@" >/dev/null; }}
put() {{
    {_APT} update -q >/dev/null || true
    install_packages "$@" || {{ dpkg --configure -a >/dev/null && install_packages "$@"; }}
}}
"""
_START = f"""\
engine() {{
    if [ -d /run/systemd/system ]; then systemctl "$1" docker; else service docker "$1" >&2; fi
}}
answers() {{
    turn=0
    until docker version >/dev/null 2>&1; do
        turn=$((turn + 1))
        [ "$turn" -le 60 ] || return {NO_ANSWER}
        sleep 1
    done
}}
"""


def as_root(rights: str, script: str) -> tuple[list[str], bytes]:
    """The command that runs a script of ours as root, one at a time, and its standard input.

    All of it is read before any of it is run: of one that is cut off on its way nothing is.
    """
    argv = ["flock", "-o", "-w", str(_LOCK_S), _LOCK, "sh", "-s"]
    path = "PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin"
    text = f"{{\nset -eu\n{path}\n{script}\nexit 0\n}} </dev/null\n"
    return (["sudo", "-n", *argv] if rights == "sudo" else argv), text.encode()


def install_script(packages: Packages, *, start: bool) -> str:
    """The script that installs packages, and starts the engine where it was not there before."""
    add = ""
    if packages.suite:
        distribution, codename = packages.suite.split()
        add = _docker_repository(distribution, codename)
    names = shlex.join(packages.names)
    return f"{_INSTALL}{add}put {names}\n" + (start_script() if start else "")


def start_script() -> str:
    """The script that starts the engine, now and after each reboot, and waits until it answers."""
    enable = "if [ -d /run/systemd/system ]; then systemctl enable -q docker; fi"
    return f"{_START}{enable}\ndocker version >/dev/null 2>&1 || engine start\nanswers\nrm -f {RESTART_MARK}"


def user_script(user: str) -> str:
    """The script that makes the deploy user, without a password, or lets the one that is there talk to the engine."""
    name = shlex.quote(user)
    return (
        "getent group docker >/dev/null || groupadd --system docker\n"
        f"if id -u {name} >/dev/null 2>&1; then usermod --append --groups docker {name}\n"
        f"else useradd --create-home --shell /bin/bash --password '*' --groups docker {name}; fi"
    )


def key_script(user: str, key: str) -> str:
    """The script that lets our key in as the deploy user. It writes as that user: root would follow a link of theirs.

    Args:
        key: the public half, `TYPE BASE64`.
    """
    name, line = shlex.quote(user), shlex.quote(f"restrict,port-forwarding {key} slipway")
    write = (
        'umask 077; cd "$1" && mkdir -p .ssh && cd .ssh && touch authorized_keys && '
        'if [ -n "$(tail -c 1 authorized_keys)" ]; then echo >>authorized_keys; fi && '
        'printf "%s\\n" "$2" >>authorized_keys'
    )
    home = f'"$(getent passwd {name} | cut -d: -f6)"'
    return f"runuser -u {name} -- sh -c {shlex.quote(write)} slipway {home} {line}"


def directory_script(user: str, directory: str) -> str:
    """The script that makes the directory of releases, and the deploy user its owner."""
    name, place = shlex.quote(user), shlex.quote(directory)
    return f'[ ! -L {place} ]\ninstall -d -m 700 -o {name} -g "$(id -gn {name})" {place}'


def swap_script(size: int) -> str:
    """The script that makes a swap file of so many bytes, and uses it; that it is used comes last."""
    new = f"{SWAP_FILE}.new"
    return (
        f"if [ ! -e {SWAP_FILE} ]; then\n"
        f"    umask 077; rm -f {new}\n"
        f"    fallocate -l {size} {new} || dd if=/dev/zero of={new} bs=1048576 count={size // 1048576} status=none\n"
        f"    mkswap {new} >/dev/null; mv {new} {SWAP_FILE}\n"
        "fi\n"
        f"grep -q '^{SWAP_FILE} ' /etc/fstab || printf '%s none swap sw,nofail 0 0\\n' {SWAP_FILE} >>/etc/fstab\n"
        f"swapon {SWAP_FILE}"
    )


def daemon_script(text: str, before: str, *, restart: bool) -> str:
    """The script that replaces the engine's configuration. A running engine is started again; one that does not start
    with it gets the old one back.

    Args:
        before: SHA-256 of what stands there ('': no file); when it is something else by now, nothing is changed.
    """
    there = (
        f'[ "$(sha256sum <{DAEMON_FILE} | cut -c1-64)" = {shlex.quote(before)} ]'
        if before
        else f"[ ! -e {DAEMON_FILE} ]"
    )
    put = (
        f"mkdir -p /etc/docker\nfile={DAEMON_FILE}\n{there} || exit {CHANGED_MEANWHILE}\n"
        'rm -f "$file.before"\n'
        'if [ -e "$file" ]; then cp -p "$file" "$file.slipway"; cp -p "$file" "$file.before"; fi\n'
        f"printf '%s' {shlex.quote(text)} >\"$file.slipway\"\n"
    )
    move = 'mv -f "$file.slipway" "$file"\n'
    if not restart:
        return f'{put}{move}rm -f "$file.before"'
    return f"""{_START}{put}\
if dockerd --help 2>&1 | grep -q -e --validate; then
    dockerd --validate --config-file "$file.slipway" >/dev/null 2>&1 || exit {NOT_TAKEN}
fi
: >{RESTART_MARK}
{move}\
if engine restart && answers; then rm -f {RESTART_MARK} "$file.before"; exit 0; fi
if [ -e "$file.before" ]; then mv -f "$file.before" "$file"; else rm -f "$file"; fi
engine restart || true
rm -f {RESTART_MARK}
exit {NOT_TAKEN}"""


def restart_script() -> str:
    """The script that has the engine start with its configuration as it is."""
    return f"{_START}engine restart\nanswers\nrm -f {RESTART_MARK}"


def _docker_repository(distribution: str, codename: str) -> str:
    address, key = f"https://download.docker.com/linux/{distribution}", "/etc/apt/keyrings/docker.asc"
    source = f"Types: deb\nURIs: {address}\nSuites: {codename}\nComponents: stable\nSigned-By: {key}\n"
    return (
        "put ca-certificates curl\n"
        f"install -d -m 755 /etc/apt/keyrings\ncurl -fsSL --max-time 60 -o {key}.new {address}/gpg\n"
        f"chmod 644 {key}.new; mv -f {key}.new {key}\n"
        f"printf '%s' {shlex.quote(source)} >/etc/apt/sources.list.d/docker.sources\n"
    )
