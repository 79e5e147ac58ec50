"""The plan of a deploy: what becomes of each service, why, what is pulled, and how long it took before."""

import json
from dataclasses import replace
from typing import Any

import pytest

from flows.core.deploy.content_labels import CONTENT_LABEL
from flows.core.deploy.facts import Facts
from flows.core.deploy.plan.plan import DeployPlan, PlannedPull, plan_deploy
from flows.core.deploy.plan.readings import (
    CONFIG_HASH,
    Coming,
    Standing,
    coming,
    read_standing,
)
from flows.core.droplet.directories import StackDirectory
from flows.core.records.measurements import Measurements
from flows.core.registry.references import engine_name
from flows.core.release.bundle import File
from flows.core.release.tree import Entry, dump_tree
from tests.support.builders import container, digest, image, past, pinned, record, release
from tests.support.hostile.changes import in_sections

pytestmark = pytest.mark.unit

HOME = StackDirectory("/opt/slipway", "shop")
COMPOSE = "2.26.1"
WEB, OTHER = pinned("web", "a"), pinned("web", "b")
TREE = {"files/conf/a.yml": Entry("file", 0o644, 3, digest("a")[7:]), "files/conf": Entry("directory", 0o755)}


def config(**services: dict[str, Any]) -> dict[str, Any]:
    return {"name": "shop", "services": {name: {"image": WEB, **spec} for name, spec in services.items()}}


def came(what: dict[str, Any] | None = None, *, whole=None, variables=None, secrets=None, tree=None) -> Coming:
    whole = whole or release(services=dict.fromkeys((what or config(web={}))["services"], WEB))
    found, _ = coming(whole, what or config(web={}), COMPOSE, frozenset(), variables or {}, secrets or {}, tree or {})
    return found


def stands(what: dict[str, Any] | None = None, *, hashes=None, variables="A='1'\n", tree=None, given="", whole=None):
    """What `read_standing` makes of a droplet on which this stands."""
    parts = {"resolved": json.dumps(what or config(web={})), "variables": variables, "given": given}
    parts |= {"hashes": "\n".join(f"{n} {h}" for n, h in (hashes or {}).items())}
    parts |= {"tree": dump_tree(tree).decode() if tree else ""}
    return read_standing(in_sections(parts), HOME, "v1.0", whole or release())


def runs(service: str = "web", *, noted: str = "", image: str = WEB, state: str = "running", content: str = ""):
    labels = {"com.docker.compose.oneoff": "False", CONFIG_HASH: noted} | ({CONTENT_LABEL: content} if content else {})
    return container(service, image=image, state=state, labels=tuple(labels.items()))


def planned(standing: Standing, comes: Coming, *containers, whole=None, strategy="rolling", **facts):
    whole = whole or release(services=dict.fromkeys(comes.fields or {"web": ""}, WEB))
    known = {"compose": COMPOSE, "present": frozenset({engine_name(WEB)}), "current": "x", **facts}
    seen = Facts(containers=containers, **known)
    return plan_deploy("green", whole, release(), seen, standing, comes, strategy)


def only(plan: DeployPlan) -> tuple[str, tuple[str, ...]]:
    return next((one.becomes, one.reasons) for one in plan.services)


def test_a_service_whose_hash_is_the_one_noted_is_left_alone():
    assert only(planned(stands(hashes={"web": "1"}), came(), runs(noted="1"))) == ("left alone", ())


def test_composes_own_hash_decides_even_where_every_field_is_the_same():
    becomes, (why,) = only(planned(stands(hashes={"web": "2"}), came(), runs(noted="1")))
    assert (becomes, why.startswith("its container is not what")) == ("replaced", True)


def test_a_new_image_is_the_reason():
    standing, comes = stands(hashes={"web": "2"}), came(config(web={"image": OTHER}))
    found = planned(standing, comes, runs(noted="1"), whole=release(services={"web": OTHER}))
    assert only(found) == ("replaced", (f"image {'a' * 12} → {'b' * 12}",))


def test_environment_keys_that_differ_are_named_and_no_value_is():
    old, new = (
        config(web={"environment": {"KEY": "s3cret", "GONE": "1"}}),
        config(web={"environment": {"KEY": "0ther"}}),
    )
    found = planned(stands(old, hashes={"web": "2"}), came(new), runs(noted="1"))
    assert only(found) == ("replaced", ("environment: GONE, KEY",))
    assert "s3cret" not in repr(found)
    assert "0ther" not in repr(found)


def test_files_that_differ_are_named():
    mount = {"volumes": [{"type": "bind", "source": "/files/conf", "target": "/conf"}]}
    labels = [{"labels": {"dev.slipway.files": name}} for name in ("one", "two")]
    changed = {
        **TREE,
        "files/conf/a.yml": replace(TREE["files/conf/a.yml"], digest="ff"),
        "files/conf/b": TREE["files/conf/a.yml"],
    }
    there = mount | {"volumes": [{**mount["volumes"][0], "source": f"{HOME.incoming('v1.0')}/files/conf"}]}
    old, new = config(web={**there, **labels[0]}), config(web={**mount, **labels[1]})
    found = planned(stands(old, hashes={"web": "2"}, tree=TREE), came(new, tree=changed), runs(noted="1"))
    assert only(found) == ("replaced", ("files: conf/a.yml, conf/b",))
    assert only(planned(stands(old, hashes={"web": "2"}), came(new, tree=changed), runs(noted="1"))) == (
        "replaced",
        ("files: what it mounts",),
    )


def test_secret_files_that_differ_are_named():
    whole = release(environment_files=({"path": "key", "secret": True},), secret_readers={"web": ("key",)})
    labels = [config(web={"labels": {"dev.slipway.secrets": name}}) for name in ("one", "two")]
    standing = stands(labels[0], hashes={"web": "2"}, given=f"{'0' * 64}  -", whole=whole)
    found = planned(standing, came(labels[1], secrets={"key": File(b"new")}), runs(noted="1"), whole=whole)
    assert only(found) == ("replaced", ("secret files: key",))
    assert found.files == ("key",)


def test_the_content_of_a_config_is_compared_with_what_the_container_was_given():
    what = config(web={"configs": [{"source": "c"}]}) | {"configs": {"c": {"content": "hello"}}}
    comes = came(what)
    same = planned(stands(what), comes, runs(content=comes.contents["web"]))
    other = planned(stands(what), comes, runs(content="older"))
    assert (only(same), only(other)) == (("left alone", ()), ("replaced", ("content of a config or secret",)))


def test_settings_are_named_by_their_field_and_ports_count_once():
    ports = [config(web={"ports": [{"target": n, "published": str(n)}]}) for n in (80, 81)]
    found = planned(stands(ports[0], hashes={"web": "2"}), came(ports[1]), runs(noted="1"))
    assert only(found) == ("replaced", ("settings: ports",))


def test_what_compose_does_not_compare_replaces_nothing():
    old = config(
        web={"depends_on": {}, "x-slipway": {"port": 1}, "deploy": {"replicas": 1}, "build": {"context": "/a"}}
    )
    new = config(web={"profiles": ["a"], "x-slipway": {"port": 2}, "deploy": {"replicas": 1}, "pull_policy": "never"})
    assert only(planned(stands(old), came(new), runs())) == ("left alone", ())


def test_a_service_that_shares_anothers_network_is_replaced_with_it_and_never_by_its_hash():
    what = config(web={}, side={"network_mode": "service:web"}, third={"pid": "service:side"})
    mine = [runs(n, noted="1") for n in ("web", "side", "third")]
    kept = planned(stands(what, hashes={"web": "1", "side": "9", "third": "9"}), came(what), *mine)
    assert {one.becomes for one in kept.services} == {"left alone"}
    moved = planned(stands(what, hashes={"web": "2", "side": "9", "third": "9"}), came(what), *mine)
    assert [one.becomes for one in moved.services] == ["replaced"] * 3
    assert moved.services[0].reasons == ("with web, which it shares something with or depends on",)


@pytest.mark.parametrize(
    ("compose", "restart", "becomes"),
    [("2.26.1", False, "replaced"), ("2.26.1", True, "replaced"), ("2.30.0", True, "restarted"),
     ("2.30.0", False, "left alone")],
)  # fmt: skip
def test_what_depends_on_a_service_that_is_replaced_becomes_what_that_compose_makes_of_it(compose, restart, becomes):
    what = config(web={}, edge={"depends_on": {"web": {"condition": "service_started", "restart": restart}}})
    comes = replace(came(what), version=compose)
    mine = runs(noted="1"), runs("edge", noted="1")
    found = planned(stands(what, hashes={"web": "2", "edge": "1"}), comes, *mine, compose=compose)
    assert found.services[0].becomes == becomes


def test_new_removed_scaled_stopped_and_ended_services_are_told_apart():
    after = {"depends_on": {"job": {"condition": "service_completed_successfully"}}}
    scales = {name: {"deploy": {"replicas": count}} for name, count in (("more", 2), ("off", 0))}
    what = config(new={}, stopped={"restart": "always"}, job={"restart": "no"}, web=after, **scales)
    mine = [runs(n) for n in ("gone", "more", "web", "off")]
    mine += [runs("stopped", state="exited"), runs("job", state="exited")]
    found = planned(stands(what), came(what), *mine)
    assert [(one.service, one.becomes) for one in found.services] == [
        ("gone", "removed"),
        ("job", "runs again"),
        ("more", "scaled"),
        ("new", "new"),
        ("off", "removed"),
        ("stopped", "started"),
        ("web", "left alone"),
    ]


def test_another_strategy_replaces_everything_and_says_so():
    found = planned(stands(hashes={"web": "1"}), came(), runs(noted="1"), strategy="recreate")
    assert only(found) == ("replaced", ("the strategy recreate stops everything first",))


def test_of_another_version_of_compose_only_what_both_say_counts():
    old, new = config(web={"a_default": "1"}), config(web={})
    found = planned(stands(old, hashes={"web": "2"}), came(new), runs(noted="1"), compose="2.30.0")
    assert only(found) == ("left alone", ())
    assert any("Compose is 2.26.1 here and 2.30.0 there" in note for note in found.notes)


def test_without_compose_here_the_images_decide_and_that_is_told():
    comes = Coming()
    found = planned(stands(), comes, runs(image=OTHER), whole=release())
    assert only(found)[0] == "replaced"
    assert any("no Docker Compose here" in note for note in found.notes)
    assert only(planned(stands(), comes, runs(), whole=release())) == ("left alone", ())


@pytest.mark.parametrize("text", ["", "{", "[1]", "services: 3", "services: {web: 3}"])
def test_what_stands_there_and_cannot_be_read_is_unknown_and_ends_nothing(text):
    standing = read_standing(
        in_sections({"resolved": text, "tree": "}{", "hashes": "a b c\nd"}), HOME, "v1.0", release()
    )
    assert standing == Standing()
    found = planned(standing, came(), runs())
    assert only(found)[0] == "left alone"
    assert found.keys is None
    assert found.as_json()["environment"] is None
    assert any("does not say how Compose resolved it" in note for note in found.notes)


def test_variables_that_differ_are_told_by_name_and_ours_are_not():
    standing = stands(variables="A='1'\nB='2'\nIMAGE_TAG='v1'\n")
    found = planned(standing, came(variables={"A": "1", "B": "3", "C": "4", "IMAGE_TAG": "v2"}), runs())
    assert found.keys == ("B (changed)", "C (added)")


def test_bytes_are_counted_once_and_layers_that_are_there_are_told():
    images = {WEB: image(("base", 1000), ("a", 5)), OTHER: image(("base", 1000), ("b", 7)),
              pinned("db", "c"): image(("b", 7), ("c", 9))}  # fmt: skip
    whole = release(services={"web": OTHER, "db": pinned("db", "c"), "old": WEB}, images=images)
    found = planned(Standing(), Coming(), whole=whole)
    assert found.pulls == (PlannedPull(pinned("db", "c"), 16, 2, 0), PlannedPull(OTHER, 0, 2, 2))
    assert found.bytes == 16
    assert found.pulled == "2 images to pull, 0.0 MB; 2 of 4 layers are there."


def test_how_long_it_took_is_told_of_the_last_deploys_and_unknown_where_no_record_says_it():
    assert planned(stands(), came(), runs()).took.startswith("How long it takes is unknown")
    times = {"began": "2026-05-04T12:00:00+00:00", "deployed": "2026-05-04T12:00:12+00:00"}
    measured = Measurements(steps={"pull images": 4.0, "keep record": 1.0})
    records = [
        record(1, "v1", **times, measured=measured),
        record(2, "v2", **times),
        record(3, "v3", began="x", deployed="y"),
        record(4, "v4", **times, kind="rollback"),
        record(5, "v5", began="2026-05-04T12:00:00+00:00"),
    ]
    found = planned(stands(), came(), runs(), history=past(*records))
    assert found.seconds == (12.0, 12.0)
    assert found.took == "The last 2 there took 12 s, 12 s (pull images 4.0 s)."


def test_the_mark_changes_with_what_is_put_there():
    one, two = (planned(stands(), came(), runs(), history=past(*records)).mark
                for records in ([record(1, "v1")], [record(1, "v1"), record(2, "v1")]))  # fmt: skip
    assert one != two
