"""The marker of a colour that is asleep: its scripts really run, and what is read of it."""

from pathlib import Path

import pytest

from flows.core.droplet.asleep import SleepMarker, mark_asleep_script, mark_awake_script, read_marker, sleep_sections
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.sections import section_script, sections
from tests.support import assert_good_shell
from tests.support.fake_droplet import make_host

pytestmark = pytest.mark.unit
MARKER = SleepMarker("v1.0", ("tool", "web"), "2026-05-04T12:00:00+00:00")
HOME = StackDirectory("/opt/it's", "shop")


@pytest.fixture
def host(tmp_path):
    made = make_host(tmp_path)
    made.path.mkdir(parents=True)
    return made


def kept(host, current: str = "v1.0") -> SleepMarker | None:
    said = sections(host.sh(section_script(sleep_sections(host.home))).stdout.decode())
    return read_marker(said["asleep"], current)


def test_what_is_written_is_read_again(host):
    assert kept(host) is None
    for _ in range(2):
        assert host.sh(mark_asleep_script(host.home), MARKER.document()).returncode == 0
        assert kept(host) == MARKER
    assert [path.name for path in host.path.iterdir()] == ["asleep"]
    assert Path(host.home.asleep).stat().st_mode & 0o777 == 0o600


def test_it_is_gone_however_often_it_is_removed(host):
    host.sh(mark_asleep_script(host.home), MARKER.document())
    for _ in range(2):
        assert host.sh(mark_awake_script(host.home)).returncode == 0
        assert kept(host) is None


def test_a_marker_is_there_whole_or_not_at_all(host):
    host.sh(mark_asleep_script(host.home), MARKER.document())
    (host.root / "bin/cat").write_text("#!/bin/sh\nprintf half; exit 1\n")
    (host.root / "bin/cat").chmod(0o755)
    assert host.sh(mark_asleep_script(host.home), b"{}").returncode != 0
    assert kept(host) == MARKER


def test_a_marker_of_another_release_says_nothing(host):
    host.sh(mark_asleep_script(host.home), MARKER.document())
    assert (kept(host, "v2.0"), kept(host, "")) == (None, None)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"release": "v1.0"}', '{"release": "v1.0", "services": 1}'])
def test_a_damaged_marker_is_none(text):
    assert read_marker(text, "v1.0") is None


def test_a_release_that_is_put_in_force_is_awake(host):
    assert host.sh(mark_asleep_script(host.home), MARKER.document()).returncode == 0
    host.deploy("v1.0")
    assert kept(host) is None
    assert not Path(host.home.asleep).exists()


@pytest.mark.parametrize(
    "script", [mark_asleep_script(HOME), mark_awake_script(HOME), section_script(sleep_sections(HOME))]
)
def test_the_scripts_are_good_shell(script):
    assert_good_shell(script)
