"""Parsers of what droplets print in an adoption, each with a good answer."""

import json

from flows.core.traffic.adoption.copying import read_aside, read_copied
from flows.core.traffic.adoption.marker import AdoptionMarker, CopiedPath, LeftContainer, read_adoption_marker
from flows.core.traffic.adoption.plan import plan_adoption
from flows.core.traffic.adoption.project import read_project
from flows.core.traffic.adoption.refusals import refuse_adoption
from flows.core.traffic.adoption.scripts import lines_of, read_old_states
from tests.support.adoption.droplet import (
    DIGEST,
    adopted_release,
    bind_mount,
    entry,
    identity,
    volume_mount,
)
from tests.support.hostile.attacked import Attacked
from tests.support.hostile.changes import in_sections

PARTS = ("shop-home", "shop-green", "shop-blue")
RELEASE = adopted_release()
COPIED = (CopiedPath(source="/srv/shop/uploads", place="uploads"),)
MOUNTS = [volume_mount("shop_db"), volume_mount("c" * 64), bind_mount("/srv/shop/uploads")]
DATABASE = entry("db", ports={"5432/tcp": [{"HostIp": "", "HostPort": "5432"}], "9/udp": None}, mounts=MOUNTS)
VOLUME = {"Name": "shop_db", "Labels": {"com.docker.compose.volume": "db"}, "Options": {"o": "bind", "device": "/d"}}
MARKER = AdoptionMarker(
    stack="shop", project="shop", tag="v1", digest=DIGEST, copied=COPIED, networks={identity("n"): "shop_default"},
    containers=(LeftContainer(id=identity("c"), name="db", aside="db.before-adoption", home=True, restart="always",
                              ran=True),),
)  # fmt: skip


def _planned(text: str) -> None:
    """All that an adoption makes of a project, once it is read."""
    project = read_project(text, "shop", PARTS)
    plan = plan_adoption("prod", project, RELEASE)
    assert plan.mark
    if project.containers:
        plan.marker(DIGEST, RELEASE.home)
    refuse_adoption("prod", project, RELEASE, PARTS)


OF_ADOPTION = (
    Attacked(read_project, {
        "containers": [DATABASE, entry("web", retries=3, restart="on-failure")],
        "volumes": [VOLUME, {**VOLUME, "Name": "c" * 64}], "empty": "c" * 64,
        "networks": f"{identity('n')} shop_default", "neighbours": "", "edge": identity("e"),
    }, shape=in_sections, read=_planned),
    Attacked(read_adoption_marker, json.loads(MARKER.document())),
    Attacked(read_copied, "path 0 12 1000 no\n", read=lambda text: read_copied(text, COPIED)),
    Attacked(read_aside, "aside 0 /opt/.adopted/shop-home.kept.a\n", read=lambda text: read_aside(text, COPIED)),
    Attacked(read_old_states, f"{identity('c')} running healthy\n"),
    Attacked(lines_of, "gone db\n", read=lambda text: lines_of(text, "gone")),
)  # fmt: skip
