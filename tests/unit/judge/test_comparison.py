"""What the judge compares: the places of both hosts have one name, and the modes of secrets are those of a release."""

import pytest

from tests.support.judge.containers import Place, leaves, released_place
from tests.support.judge.play import with_dependants
from tests.support.judge.snapshot import Difference, Given, differences, given_files
from tests.support.judge.trees import is_written

pytestmark = pytest.mark.unit

PLAIN = Place((("/srv/plain/shop/stack", ""),), "deploy")
RELEASED = released_place("/opt/x/shop", "deploy")


@pytest.mark.parametrize(
    ("plain", "released", "name"),
    [
        ("/srv/plain/shop/stack/deploy/conf", "/opt/x/shop/current/files/deploy/conf", "<stack>/conf"),
        ("/srv/plain/shop/stack/a b:/c:ro", "/opt/x/shop/releases/t1-0/files/a b:/c:ro", "<stack>/../a b:/c:ro"),
        ("/srv/plain/shop/stack/deploy/data", "/opt/x/shop/shared/deploy/data", "<stack>/data"),
        ("/srv/plain/shop/stack/key", "/opt/x/shop/current/secrets/0440/key", "<stack>/../key"),
        ("/srv/plain/shop/stack/deploy", "/opt/x/shop/current/files/deploy", "<stack>"),
        ("/srv/plain/other", "/srv/plain/other", "/srv/plain/other"),
    ],
)
def test_a_place_of_the_stack_has_one_name_on_both_hosts(plain: str, released: str, name: str):
    assert (PLAIN.plain(plain), RELEASED.plain(released)) == (name, name)


def test_a_list_without_an_order_is_compared_by_name():
    one = dict(leaves({"Config": {"Env": ["A=1", "B=2"]}}))
    assert one == dict(leaves({"Config": {"Env": ["B=2", "A=1"]}}))
    assert one == {"Config/Env/A": "A=1", "Config/Env/B": "B=2"}


def test_a_field_that_one_side_has_alone_differs():
    found = differences({"a": "1", "b": "2"}, {"b": "3", "c": "4"})
    assert found == [Difference("a", "1", "nothing"), Difference("b", "2", "3"), Difference("c", "nothing", "4")]
    assert str(found[1]) == "b: '2', plain Compose has '3'"


def test_a_secret_file_has_the_mode_that_each_entry_asks_for():
    config = {
        "services": {
            "a": {
                "secrets": [
                    {"source": "key", "mode": "0440"},
                    {"source": "same", "target": "/etc/key", "mode": 4},
                    {"source": "env", "mode": 256},
                    {"source": "other"},
                ],
                "configs": [{"source": "conf"}],
            }
        },
        "secrets": {
            "key": {"file": "/k"},
            "same": {"file": "/k"},
            "env": {"environment": "E"},
            "other": {"file": "/o"},
        },
        "configs": {"conf": {"file": "/c"}},
    }
    assert given_files(config) == {
        "a": [
            Given("/conf", None),
            Given("/run/secrets/key", 0o440),
            Given("/etc/key", 0o004),
            Given("/run/secrets/env", None),
            Given("/run/secrets/other", 0o444),
        ]
    }


def test_what_a_service_writes_is_named_by_a_pattern():
    patterns = {"db:/rows/*": "grows"}
    assert is_written("db:/rows/a content", patterns) == "grows"
    assert is_written("web:/rows/a content", patterns) == ""


def test_who_waits_for_a_service_is_made_anew_with_it():
    services = {"db": {}, "api": {"depends_on": {"db": {}}}, "web": {"depends_on": {"api": {}}}, "job": {}}
    assert with_dependants(["db"], services) == {"db", "api", "web"}
    assert with_dependants(["web"], services) == {"web"}
    assert with_dependants([], services) == set()
