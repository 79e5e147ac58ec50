"""The plan of an adoption: what becomes of each service, and what the marker keeps of it."""

import json

import pytest
from pydantic import ValidationError

from flows.core.errors import UnreadableAnswer
from flows.core.traffic.adoption.marker import CopiedPath, read_adoption_marker
from flows.core.traffic.adoption.plan import AdoptionPlan, adoption_question, plan_adoption, with_sizes
from flows.core.traffic.adoption.project import OldProject, read_project
from flows.core.traffic.adoption.scripts import stop_old_script
from tests.support.adoption.droplet import DIGEST, adopted_release, bind_mount, entry, identity, volume_mount
from tests.support.hostile.changes import in_sections

pytestmark = pytest.mark.unit

HERE = "/srv/shop"
DATABASE = entry(
    "db", name="database", directory=HERE, ports={"5432/tcp": [{"HostPort": "5432"}]},
    mounts=[volume_mount("shop_db"), bind_mount(f"{HERE}/uploads"), bind_mount(f"{HERE}/uploads/in", "/in")],
)  # fmt: skip
WEB = entry("web", directory=HERE, ports={"80/tcp": [{"HostPort": "80"}]}, restart="on-failure", retries=2)


def project(*containers: dict, **said) -> OldProject:
    printed = in_sections({"containers": list(containers), "networks": f"{identity('n')} shop_default", **said})
    return read_project(printed, "shop", ())


def planned(*containers: dict, release=None, **said) -> AdoptionPlan:
    return plan_adoption("prod", project(*containers, **said), release or adopted_release())


def row(plan: AdoptionPlan, service: str) -> dict:
    return next(row for row in plan.rows() if row["service"] == service)


def test_a_service_moves_home_with_its_volume_and_its_port():
    home = row(planned(DATABASE, WEB), "db")
    assert home["becomes"] == "prod/home"
    assert str(home["keeps"]).startswith(f"volume shop_db; {HERE}/uploads")
    assert home["ports"] == "5432:5432/tcp stays"


def test_a_service_becomes_a_colour_and_its_port_the_edges():
    colour = row(planned(DATABASE, WEB), "web")
    assert (colour["becomes"], colour["ports"]) == ("prod/green", "the edge serves shop.example.com; 80:80/tcp ends")


def test_a_service_that_did_not_run_is_told():
    assert "job is new: it does not run in shop" in planned(DATABASE, WEB).notes


def test_of_nested_paths_the_outermost_is_copied_once():
    assert planned(DATABASE, WEB).copied == (CopiedPath(source=f"{HERE}/uploads", place="uploads"),)


@pytest.mark.parametrize(
    ("file", "source", "place"),
    [
        ("compose.yml", f"{HERE}/uploads", "uploads"),
        ("deploy/compose.yml", f"{HERE}/uploads", ""),
        ("deploy/compose.yml", "/srv/uploads", "uploads"),
        ("compose.yml", f"{HERE}/uploads-of-others", ""),
        ("compose.yml", "/uploads", ""),
    ],
)
def test_a_path_is_found_by_its_place_below_the_stack(file, source, place):
    release = adopted_release(compose_files=(file,))
    plan = planned(entry("db", directory=HERE, mounts=[bind_mount(source)]), release=release)
    assert [one.place for one in plan.copied] == ([place] if place else [])


@pytest.mark.parametrize(("ports", "edge", "wanted"), [("80", "e", True), ("80", "", False), ("8080", "e", False)])
def test_the_edge_is_started_anew_only_where_it_waits_for_ports_of_the_project(ports, edge, wanted):
    web = entry("web", ports={"80/tcp": [{"HostPort": ports}]})
    assert planned(web, edge=edge and identity(edge)).edge is wanted


def test_the_question_shows_services_copies_and_the_way_back():
    asked = adoption_question(with_sizes(planned(DATABASE, WEB), [5_000_000]), 60)
    assert "| service | now | becomes | keeps | ports |" in asked
    assert f"{HERE}/uploads (5.0 MB)" in asked
    assert "slipway adopt --undo" in asked
    assert asked.endswith("No answer within 60 minutes means no.")


def test_another_container_makes_another_plan():
    assert planned(DATABASE, WEB).mark == planned(WEB, DATABASE).mark
    assert planned(DATABASE, WEB).mark != planned(DATABASE, entry("web", name="shop-web-2")).mark


def test_a_marker_keeps_what_leads_back():
    marker = planned(DATABASE, WEB).marker(DIGEST, ["db"])
    assert read_adoption_marker(marker.document().decode()) == marker
    database, web = marker.containers
    assert (database.name, database.aside, database.home) == ("database", "database.before-adoption", True)
    assert (web.aside, web.restart, web.ran, web.home) == ("", "on-failure:2", True, False)
    assert marker.networks == {identity("n"): "shop_default"}
    assert read_adoption_marker(marker.at("home").document().decode()).step == "home"


def test_colours_are_stopped_before_the_data_home():
    marker = planned(DATABASE, WEB).marker(DIGEST, ["db"])
    stops = [line for line in stop_old_script(marker).splitlines() if line.startswith("docker stop")]
    assert stops == [f"docker stop {WEB['Id']} >/dev/null", f"docker stop {DATABASE['Id']} >/dev/null"]


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"step": "else"}, {"containers": []}, {"stack": "a/b"}, {"networks": {"x": "y"}}, {"more": 1},
     {"copied": [{"source": "relative", "place": "a"}]}, {"copied": [{"source": "/a", "place": "../a"}]}],
    ids=str,
)  # fmt: skip
def test_a_marker_that_is_not_ours_is_not_gone_by(change):
    said = json.loads(planned(DATABASE).marker(DIGEST, ["db"]).document())
    with pytest.raises(UnreadableAnswer):
        read_adoption_marker(json.dumps({**said, **change}))


def test_there_is_no_marker_without_containers():
    with pytest.raises(ValidationError):
        planned().marker(DIGEST, [])


def test_no_marker_is_no_adoption():
    assert read_adoption_marker("\n") is None
