"""The parsers and scripts of `slipway setup`, as they are attacked."""

from flows.core.droplet.setup.daemon import limited_logs
from flows.core.droplet.setup.facts import read_setup_facts, setup_facts_script
from flows.core.droplet.setup.packages import Packages
from flows.core.droplet.setup.plan import SetupWish, plan_setup
from flows.core.droplet.setup.scripts import (
    daemon_script,
    directory_script,
    install_script,
    key_script,
    user_script,
)
from tests.support.hostile.attacked import Attacked
from tests.support.hostile.changes import in_sections

KEY = "ssh-ed25519 AAAAC3Nz"


def _planned(text: str) -> None:
    plan_setup(read_setup_facts(text), SetupWish("slipway", KEY, swap="1G"))


OF_SETUP = (
    Attacked(read_setup_facts, {
        "rights": "root", "system": 'ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie', "architecture": "x86_64",
        "systemd": "yes", "programs": "docker\ndockerd\napt-get", "engine": "26.1.5", "compose": "2.26.1-4",
        "packages": "installed docker.io", "containers": "shop-api-1", "user": "1001", "groups": "slipway docker",
        "key": "yes", "directory": "slipway 700 directory", "content": "yes", "swap": "", "daemon": ":\n{}",
        "disk": "/dev/sda 9 1 90000000 1% /", "daemon hash": "0" * 64, "restart": "",
    }, shape=in_sections, read=_planned),
    Attacked(limited_logs, {"log-driver": "json-file", "log-opts": {"tag": "x"}},
             read=lambda text: limited_logs(text, "10m")),
)  # fmt: skip
# Each with what it is made of. None may write where this system's own files are.
SETUP_SCRIPTS = (
    (setup_facts_script, lambda w: setup_facts_script(w[0], w[1], w[2])),
    (install_script, lambda w: install_script(Packages((w[0], w[1]), "", w[2]), start=True)),
    (user_script, lambda w: user_script(w[0])),
    (key_script, lambda w: key_script(w[0], w[1])),
    (directory_script, lambda w: directory_script(w[0], f"/nowhere-of-slipway/{w[1]}")),
    (daemon_script, lambda w: daemon_script(w[0], w[1], restart=True).replace("/etc/", "/nowhere-of-slipway/")),
)
