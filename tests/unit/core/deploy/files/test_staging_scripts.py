"""What a droplet is told to do with a release's files, word for word."""

import shlex
import subprocess
from pathlib import Path

import pytest

from flows.core.deploy.files.droplet_trees import trees_script
from flows.core.deploy.files.reuse import Reuse, reuse_script
from flows.core.deploy.files.staging_scripts import (
    discard_script,
    override_script,
    place_script,
    prepare_script,
    stage_script,
    switch_script,
)
from flows.core.deploy.files.writable import Bringing, PathChange
from flows.core.deploy.files.writable_scripts import bring_script, look_script
from flows.core.deploy.pull import RegistryLogin, keep_tag, pull_script
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.docker_commands import CLEAN_DOCKER
from flows.core.release.tree import Entry
from tests.support import assert_good_shell
from tests.support.builders import digest, release

pytestmark = pytest.mark.unit

HOME = StackDirectory("/opt/slip way", "shop")
STATEFUL = release(compose_files=("s/a.yml", "b.yml"), state=("s/up loads", "s/settings.json"))
TREE = {"seed/s/settings.json": Entry("file", 0o644, 2), "files/s/a.yml": Entry("file", 0o644)}

DISCARD = (
    "rm -rf '/opt/slip way/shop/incoming/v1.x'; if rmdir '/opt/slip way/shop/releases' 2>/dev/null; then "
    "rmdir '/opt/slip way/shop/incoming' '/opt/slip way/shop/shared' '/opt/slip way/shop' 2>/dev/null || true; fi"
)
TRAP = shlex.quote(f"code=$?; [ $code -eq 0 ] || {{ {DISCARD}; }}")
CLEAN = shlex.join(CLEAN_DOCKER)
STAGE = f"""\
set -eu
trap {TRAP} EXIT
mkdir -p '/opt/slip way/shop/releases' '/opt/slip way/shop/incoming' '/opt/slip way/shop/shared'
chmod 700 '/opt/slip way/shop'
rm -rf '/opt/slip way/shop/incoming/v1.x' && mkdir '/opt/slip way/shop/incoming/v1.x'
tar -xzpf - -C '/opt/slip way/shop/incoming/v1.x' --no-same-owner
(umask 077 && {CLEAN} compose --project-name shop --file '/opt/slip way/shop/incoming/v1.x/files/s/a.yml' \
--file '/opt/slip way/shop/incoming/v1.x/files/b.yml' --file '/opt/slip way/shop/incoming/v1.x/override.yml' \
--file '/opt/slip way/shop/incoming/v1.x/secrets.yml' --env-file '/opt/slip way/shop/incoming/v1.x/environment' config \
>'/opt/slip way/shop/incoming/v1.x/config.yml')
mkdir -p '/opt/slip way/shop/shared/s/up loads'
mkdir -p '/opt/slip way/shop/incoming/v1.x/files/s'
rm -rf '/opt/slip way/shop/incoming/v1.x/files/s/settings.json'
ln -s '/opt/slip way/shop/shared/s/settings.json' '/opt/slip way/shop/incoming/v1.x/files/s/settings.json'
mkdir -p '/opt/slip way/shop/incoming/v1.x/files/s'
rm -rf '/opt/slip way/shop/incoming/v1.x/files/s/up loads'
ln -s '/opt/slip way/shop/shared/s/up loads' '/opt/slip way/shop/incoming/v1.x/files/s/up loads'
cat '/opt/slip way/shop/incoming/v1.x/config.yml'
"""

SWITCH = """\
ln -sfn releases/v1.x '/opt/slip way/shop/current.new'
mv -T '/opt/slip way/shop/current.new' '/opt/slip way/shop/current'
rm -rf '/opt/slip way/shop/incoming' '/opt/slip way/shop/bringing' '/opt/slip way/shop/asleep'
"""

CHANGES = (
    PathChange("all", "up loads"), PathChange("delete", "it's", Entry("file", digest="f00")),
    PathChange("remove-directory", "d"), PathChange("directory", "e", mode=0o750),
    PathChange("put", "e/$x\ny", None, 0o600), PathChange("mode", "a", None, 0o644),
)  # fmt: skip
SCRIPTS = {
    "prepare": prepare_script(HOME, "v1.x"),
    "stage": stage_script(STATEFUL, HOME, "v1.x", TREE),
    "stage what is prepared": stage_script(STATEFUL, HOME, "v1.x", TREE, prepared=True),
    "trees": trees_script(HOME, "0" * 64, "v1.x"),
    "trees and what stands": trees_script(HOME, "0" * 64, standing=True),
    "stage with links": stage_script(STATEFUL, HOME, "v1.x", TREE, like="v0.w"),
    "reuse": reuse_script(
        "/a", "/b c", Reuse({"files/a": "files/a", "files/b/c": "files/$c/c"}, ("files/x y",))
    ).decode(),
    "look": look_script(HOME, ["up loads", "it's"], ["up loads"]).decode(),
    "bring": bring_script(HOME, "v1.x", Bringing(CHANGES)).decode(),
    "switch": switch_script(HOME, "v1.x"),
    "discard": discard_script(HOME, "v1.x"),
    "pull": pull_script([f"host/web@{digest('a')}", f"host/db@{digest('b')}"], RegistryLogin("host:5000", "it's me")),
}


def test_staging_is_these_lines():
    assert SCRIPTS["stage"] == STAGE


def test_switching_is_these_lines():
    assert SCRIPTS["switch"] == place_script(HOME, "v1.x") + SWITCH


def test_discarding_removes_what_was_on_its_way_and_nothing_else():
    assert SCRIPTS["discard"] == f"{DISCARD}\n"


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_every_script_is_good_shell(script):
    # SC2016, SC2154: the trap's own variable, in single quotes on purpose.
    assert_good_shell(script, "SC2016", "SC2154")


@pytest.mark.parametrize("tag", ["", ":16"])
def test_the_tag_that_keeps_an_image_is_made_of_its_digest(tag):
    assert keep_tag(f"localhost:5000/db{tag}@{digest('c')}") == f"localhost:5000/db:slipway-{'c' * 16}"


def test_the_override_is_written_anew_for_its_owner_alone(tmp_path):
    home = StackDirectory(str(tmp_path / "it's here"), "shop")
    place = Path(home.incoming("v1.x"))
    place.mkdir(parents=True)
    subprocess.run(["sh", "-c", override_script(home, "v1.x")], input=b"services: {}", check=True)
    assert (place / "secrets.yml").read_bytes() == b"services: {}"
    assert (place / "secrets.yml").stat().st_mode & 0o777 == 0o600
