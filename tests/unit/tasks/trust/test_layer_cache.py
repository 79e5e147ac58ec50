"""What is kept of layers: in a directory that is ours alone, and never more than is needed."""

import os

import pytest

from flows.core.trust.packages.layer import LayerDatabases
from flows.tasks.trust import layer_cache as layer_cache_module
from flows.tasks.trust.layer_cache import LayerCache, layer_cache
from tests.support.builders import digest

pytestmark = pytest.mark.unit

LAYER = LayerDatabases({"etc/os-release": b"ID=x\n"}, frozenset({"a"}), frozenset({"b"}))


def test_what_is_kept_is_found_again_and_nobody_else_may_look(tmp_path):
    place = tmp_path / "slipway/layers"
    LayerCache(place).put(digest("a"), LAYER)
    assert LayerCache(place).get(digest("a")) == LAYER
    assert LayerCache(place).get(digest("b")) is None
    (file,) = place.iterdir()
    assert [os.stat(one).st_mode & 0o077 for one in (place, file)] == [0, 0]


def test_a_file_that_is_damaged_counts_as_none(tmp_path):
    cache = LayerCache(tmp_path / "slipway/layers")
    cache.put(digest("a"), LAYER)
    (file,) = (tmp_path / "slipway/layers").iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    assert cache.get(digest("a")) is None


def test_what_is_no_digest_leads_nowhere(tmp_path):
    cache = LayerCache(tmp_path / "slipway/layers")
    cache.put("sha256:../../x", LAYER)
    assert [path.name for path in tmp_path.rglob("*")] == ["slipway", "layers"]


def opened_to_others(place):
    place.mkdir(parents=True)
    place.chmod(0o777)


def below_what_others_may_write(place):
    place.mkdir(parents=True)
    place.parent.chmod(0o777)


def a_link(place):
    (place.parent / "elsewhere").mkdir(parents=True)
    place.symlink_to("elsewhere")


def a_file(place):
    place.parent.mkdir()
    place.write_text("")


@pytest.mark.parametrize("make", [opened_to_others, below_what_others_may_write, a_link, a_file])
def test_a_directory_that_is_not_ours_alone_is_not_used(tmp_path, make):
    make(tmp_path / "slipway/layers")
    cache = LayerCache(tmp_path / "slipway/layers")
    cache.put(digest("a"), LAYER)
    cache.tidy()
    assert cache.get(digest("a")) is None
    assert not any(path.name.startswith("sha256") for path in tmp_path.rglob("*"))


def test_those_that_were_not_asked_for_the_longest_go(tmp_path, monkeypatch):
    monkeypatch.setattr(layer_cache_module, "_MOST", 2)
    cache = LayerCache(tmp_path / "slipway/layers")
    for age, letter in enumerate("abc"):
        cache.put(digest(letter), LAYER)
        os.utime(tmp_path / "slipway/layers" / digest(letter).replace(":", "-"), (1000 - age, 1000 - age))
    assert cache.get(digest("c")) == LAYER
    cache.tidy()
    assert [cache.get(digest(letter)) is not None for letter in "abc"] == [True, False, True]


def test_it_is_below_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    layer_cache().put(digest("a"), LAYER)
    assert len(list((tmp_path / "slipway/layers").iterdir())) == 1
