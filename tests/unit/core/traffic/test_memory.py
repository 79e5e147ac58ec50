"""Whether two colours fit into a droplet's memory: the script really run, what is read of it, and the refusal."""

import json
import subprocess

import pytest

from flows.core.errors import NotEnoughMemory, UnreadableAnswer
from flows.core.traffic.memory import (
    RESERVE,
    DropletMemory,
    MemoryUse,
    memory_need,
    memory_script,
    read_memory,
    refuse_what_does_not_fit,
)
from tests.support import assert_good_shell
from tests.support.builders import stack
from tests.support.fake_droplet import make_host

pytestmark = pytest.mark.unit
MB = 1_000_000
NOTHING = MemoryUse({})
DOCKER = r"""#!/bin/sh
for word; do last=$word; done
case "$* " in
*"=shop-green "*"--format"*) cat "$0.rows" ;;
*"=shop-green "*) echo a b ;;
"stats "*) [ "$last" = b ] && cat "$0.stats" ;;
esac
"""


def limited(limit: str, **more) -> dict:
    return {"deploy": {"resources": {"limits": {"memory": limit}}, **more}}


def droplet(
    available: int, active: dict[str, tuple[int, ...]] | None = None, idle: MemoryUse = NOTHING
) -> DropletMemory:
    return DropletMemory(4000 * MB, available, MemoryUse(active or {}), idle)


def test_what_a_droplet_says_is_read(tmp_path):
    host = make_host(tmp_path)
    (tmp_path / "bin/docker").write_text(DOCKER)
    rows = [{"id": "a", "service": "web"}, {"id": "b", "service": "web"}, {"id": "c", "service": "tool"}]
    stats = [
        {"ID": "a", "MemUsage": "1.5MiB / 2GiB"},
        {"ID": "b", "MemUsage": "2MB / 2GiB"},
        {"ID": "c", "MemUsage": "--"},
    ]
    for name, lines in (("rows", rows), ("stats", stats)):
        (tmp_path / f"bin/docker.{name}").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    script = memory_script("shop-green", "shop-blue")
    said = subprocess.run(["sh", "-c", script], env=host.env, capture_output=True, text=True, check=True)
    found = read_memory(said.stdout)
    assert said.stderr == ""
    assert found.active == MemoryUse({"web": (1_572_864, 2_000_000)}, ("tool",))
    assert found.idle == NOTHING
    assert 0 < found.available < found.total


def test_an_engine_that_does_not_answer_is_waited_for_only_so_long():
    assert "timeout -k 5 20 docker stats --no-stream" in memory_script("a", "b")


def test_a_droplet_that_does_not_tell_its_memory_is_not_judged():
    with pytest.raises(UnreadableAnswer, match="free -m"):
        read_memory("\n@@slipway:memory\nMemTotal: 12 kB\n")


@pytest.mark.parametrize(
    ("service", "active", "needed"),
    [
        ({}, {"web": (300 * MB,)}, 300 * MB),
        ({}, {"web": (300 * MB, 100 * MB)}, 300 * MB),
        ({"scale": 3}, {"web": (300 * MB,)}, 900 * MB),
        ({"scale": 0}, {"web": (300 * MB,)}, 0),
        (limited("200000000"), {"web": (300 * MB,)}, 200 * MB),
        (limited("200000000"), {"web": (50 * MB,)}, 50 * MB),
        (limited("200000000", replicas=2), {}, 400 * MB),
        ({"mem_limit": "1m"}, {}, 1024 * 1024),
    ],
    ids=["as it uses now", "as the largest of it", "each container", "none is to run", "no more than its limit",
         "less than its limit", "new, with a limit", "an old field"],
)  # fmt: skip
def test_what_a_service_needs(service, active, needed):
    need = memory_need(stack({"web": service}), droplet(1000 * MB, active))
    assert (need.needed, need.unknown) == (needed, ())


def test_a_service_that_nobody_knows_is_named_and_counts_nothing():
    need = memory_need(stack({"web": {}, "new": {}}), droplet(1000 * MB, {"web": (100 * MB,)}))
    assert (need.needed, need.unknown) == (100 * MB, ("new",))
    assert "100 MB are to come, without new, of which nobody knows" in need.sentence


def test_a_one_shot_that_others_wait_for_is_not_counted():
    waits = {"depends_on": {"job": {"condition": "service_completed_successfully"}}}
    need = memory_need(stack({"web": waits, "job": limited("500000000")}), droplet(1000 * MB, {"web": (100 * MB,)}))
    assert (need.needed, need.unknown) == (100 * MB, ())


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (-1, False)])
def test_what_is_to_come_has_to_fit_beside_what_runs_and_a_reserve(spare, fits):
    need = memory_need(stack({"web": {}}), droplet(300 * MB + RESERVE + spare, {"web": (300 * MB,)}))
    assert need.fits is fits


def test_what_the_idle_colour_still_runs_is_free_for_the_new_one():
    idle = MemoryUse({"web": (200 * MB,)})
    need = memory_need(stack({"web": {}}), droplet(100 * MB + RESERVE, {"web": (300 * MB,)}, idle))
    assert need.fits


def test_what_does_not_fit_is_refused_with_both_numbers():
    need = memory_need(stack({"web": {}}), droplet(200 * MB, {"web": (300 * MB,)}))
    with pytest.raises(NotEnoughMemory) as error:
        refuse_what_does_not_fit(need, "droplet prod")
    assert error.value.exit_code == 2
    assert str(error.value).startswith(
        "droplet prod has not the memory for two colours: both colours need about 600 MB while the promotion lasts "
        "(300 MB run now, 300 MB are to come); of its 4,000 MB 200 MB are free, and 134 MB of these are kept for the "
        "droplet itself. Nothing was started. "
    )


def test_what_fits_is_let_through():
    need = memory_need(stack({"web": {}}), droplet(900 * MB, {"web": (300 * MB,)}))
    refuse_what_does_not_fit(need, "droplet prod")
    assert need.fits


def test_the_script_is_good_shell():
    # SC2086: the ids are meant to be words of their own.
    assert_good_shell(memory_script("it's", "shop"), "SC2086")
