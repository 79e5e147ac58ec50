"""The order of pushes: layers that images share are sent once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.release.push_order import push_waves

pytestmark = pytest.mark.unit


def test_images_on_one_base_wait_for_the_largest_of_them():
    layers = {"a": ["base", "a"], "b": ["base", "b"], "big": ["base", "x", "y"], "other": ["z"]}
    assert push_waves(layers) == [["big", "other"], ["a", "b"]]


def test_what_the_registry_has_holds_nobody_up():
    assert push_waves({"a": ["base", "a"], "b": ["base", "b"]}, {"base"}) == [["a", "b"]]


def test_equal_images_go_one_after_the_other():
    assert push_waves({"a": ["base"], "b": ["base"]}) == [["a"], ["b"]]


@pytest.mark.parametrize("layers", [{}, {"a": []}, {"a": ["x", "x"]}])
def test_nothing_to_wait_for_is_one_wave_at_most(layers):
    assert push_waves(layers) == ([list(layers)] if layers else [])


layer = st.sampled_from("abcdefgh")


stacks = st.dictionaries(st.text(alphabet="ABCD", min_size=1, max_size=2), st.lists(layer, max_size=6), max_size=10)


@given(stacks, st.frozensets(layer))
def test_every_image_goes_once_and_no_layer_is_sent_twice(layers, there):
    waves = push_waves(layers, there)
    assert sorted(reference for wave in waves for reference in wave) == sorted(layers)
    sent = set(there)
    for wave in waves:
        fresh = [name for reference in wave for name in set(layers[reference]) - sent]
        assert len(fresh) == len(set(fresh))
        sent |= set(fresh)


@given(stacks)
def test_the_order_is_that_of_the_content_not_of_the_mapping(layers):
    assert push_waves(dict(reversed(layers.items()))) == push_waves(layers)
