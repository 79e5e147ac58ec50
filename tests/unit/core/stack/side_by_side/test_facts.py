"""What two projects must know of a stack: names that are fixed, networks in common, what the edge serves."""

import pytest
from pydantic import ValidationError

from flows.core.errors import NotSideBySide
from flows.core.stack.side_by_side.facts import Exposed, Network, SideBySide, side_by_side
from flows.core.stack.side_by_side.refusals import side_by_side_notes

pytestmark = pytest.mark.unit

HOME = {"x-slipway": {"data": "home"}}


def facts(services: dict, **more) -> SideBySide:
    config = {"name": "shop", "services": {n: {"image": n, **spec} for n, spec in services.items()}, **more}
    return side_by_side(config)


def test_a_stack_of_nothing_special_has_nothing_to_say():
    assert facts({"web": {"networks": None}}) == SideBySide()


def test_what_is_exposed_is_known_with_its_replicas():
    expose = {"host": ["a.example.com", "b.example.com"], "port": 8000, "path": "/api"}
    known = facts({"web": {"x-slipway": {"expose": expose}, "deploy": {"replicas": 3}}, "api": {}})
    assert known.exposed == {
        "web": Exposed(hosts=("a.example.com", "b.example.com"), path="/api", port=8000, replicas=3)
    }
    stopped = facts({"web": {"x-slipway": {"expose": expose}, "scale": 0}})
    assert stopped.exposed["web"].replicas == 1


def test_a_network_is_known_with_all_that_makes_it_again_but_its_addresses():
    said = {
        "name": "corp",
        "driver": "bridge",
        "driver_opts": {"a": "$$1", "b": 2},
        "internal": True,
        "attachable": True,
        "enable_ipv6": False,
        "labels": {"l": ""},
        "ipam": {"config": [{"subnet": "10.0.0.0/24"}]},
    }
    known = facts({"web": {"networks": {"n": None}}, "db": {**HOME, "networks": {"n": {}}}}, networks={"n": said})
    assert known.networks["n"] == Network(
        name="corp",
        driver="bridge",
        driver_opts={"a": "$1", "b": "2"},
        internal=True,
        attachable=True,
        enable_ipv6=False,
        labels={"l": ""},
        home={"db": ()},
        colour=("web",),
    )
    assert known.networks["n"].shared


@pytest.mark.parametrize(
    ("web", "db", "definition"),
    [({}, {"n": None}, {}), ({"n": None}, {}, {}), ({"n": None}, {"n": None}, {"external": True})],
    ids=["home alone", "colours alone", "made elsewhere"],
)
def test_a_network_is_shared_where_both_are_on_it_and_the_stack_makes_it(web, db, definition):
    known = facts({"web": {"networks": web}, "db": {**HOME, "networks": db}}, networks={"n": definition})
    assert not known.networks["n"].shared


def test_home_is_found_by_every_name_that_it_was_called_by():
    known = facts(
        {
            "web": {"networks": {"n": None}, "links": ["db:database", "db", "api:backend", "db:pg"]},
            "api": {"networks": {"n": None}, "links": ["web"]},
            "db": {**HOME, "networks": {"n": {"aliases": ["pg", "db"]}}, "container_name": "shop-db", "links": ["q:x"]},
            "q": {**HOME, "networks": {"n": None}},
        },
        networks={"n": {"name": "shop_n"}},
    )
    assert known.networks["n"].home == {"db": ("pg", "shop-db", "database"), "q": ()}
    assert known.links == {"web": ("api:backend",)}
    assert known.containers == {}


def test_names_of_containers_and_volumes_are_those_of_services_with_a_colour():
    def mounts(*names: str) -> dict:
        return {"volumes": [{"type": "volume", "source": name, "target": f"/{name}"} for name in names]}

    known = facts(
        {
            "web": {"container_name": "front", **mounts("a", "b", "far"), "tmpfs": ["/t"]},
            "db": {**HOME, "container_name": "rows", **mounts("d")},
            "net": {"network_mode": "none", "volumes": [{"type": "bind", "source": "/a", "target": "/a"}]},
        },
        volumes={"a": {"name": "fixed"}, "b": None, "far": {"external": True, "name": "far"}, "d": {"name": "d"}},
    )
    assert known.containers == {"web": "front"}
    assert known.volumes == {"a": "fixed", "b": "shop_b"}


def test_facts_are_read_back_as_they_were_written():
    known = facts(
        {"web": {"networks": {"n": None}, "x-slipway": {"expose": {"host": "a", "port": 1}}}}, networks={"n": {}}
    )
    assert SideBySide.model_validate_json(known.model_dump_json()) == known


BAD = {
    "a field of another version": {"more": 1},
    "a host with a space": {"exposed": {"web": {"hosts": ["a b"], "port": 1}}},
    "a host that ends the site": {"exposed": {"web": {"hosts": ["a {\n}"], "port": 1}}},
    "no host": {"exposed": {"web": {"hosts": [], "port": 1}}},
    "a path with a quote": {"exposed": {"web": {"hosts": ["a"], "port": 1, "path": '/"'}}},
    "a port too high": {"exposed": {"web": {"hosts": ["a"], "port": 70000}}},
    "more replicas than ports": {"exposed": {"web": {"hosts": ["a"], "port": 1, "replicas": 11}}},
    "a service with a slash": {"containers": {"../web": "a"}},
    "a container with a dash first": {"containers": {"web": "-rm"}},
    "a volume that is a path": {"volumes": {"v": "/etc"}},
    "a network with a line break": {"networks": {"n": {"name": "a\nb"}}},
    "an alias with a space": {"networks": {"n": {"name": "a", "home": {"db": ["a b"]}}}},
}


@pytest.mark.parametrize("document", BAD.values(), ids=BAD)
def test_facts_from_elsewhere_with_other_names_are_refused(document):
    with pytest.raises(ValidationError):
        SideBySide.model_validate(document)


def test_a_name_of_the_stack_that_no_engine_takes_is_refused():
    with pytest.raises(NotSideBySide, match=r"colours of stack shop .*: containers\.web: .*Give it another name"):
        facts({"web": {"container_name": "-web"}})


def test_what_is_done_otherwise_is_said():
    known = facts(
        {
            "web": {
                "container_name": "front",
                "networks": {"n": None},
                "links": ["db"],
                "volumes": [{"type": "volume", "source": "v", "target": "/v"}],
                "x-slipway": {"expose": {"host": ["a.example.com", "b.example.com"], "port": 1, "path": "/x"}},
            },
            "db": {**HOME, "networks": {"n": None}},
        },
        networks={"n": None, "own": None},
        volumes={"v": {"name": "fixed"}},
    )
    assert side_by_side_notes(known) == (
        "web publishes no port of the droplet: the edge serves it as a.example.com/x, b.example.com/x",
        "the container of web is front-green or front-blue, still found as front",
        "network n: each colour has its own, made by the data home, on which it finds db. "
        "Whoever of db calls a service of the colours by its name may reach either colour",
        "volume v (fixed): each colour has its own",
        "web has no links to the data home: it finds what is there by the same names",
    )
    assert side_by_side_notes(SideBySide()) == ()
