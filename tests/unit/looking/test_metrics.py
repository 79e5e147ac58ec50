"""Metrics of droplets that are asked: what is away, slow or gone keeps no other from being told, and nobody waiting."""

import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families as read_text
from typer.testing import CliRunner

from flows.cli import main
from flows.looking import metrics
from flows.looking.looked import Looked
from flows.looking.metrics import DropletMetrics, metrics_registry, metrics_server
from flows.settings import Settings
from tests.unit.looking.conftest import SECRET

pytestmark = pytest.mark.unit
TWO = Settings(switch="edge", home="")
FAR = 1e6


def collector(api, stack, settings=TWO, **options) -> DropletMetrics:
    given = {"age": 0.0, "patience": 60.0, "drift_every": 0.0, **options}
    told: list[str] = []
    made = DropletMetrics(api, stack, settings, told.append, **given)
    made.told = told
    return made


def asked(found: DropletMetrics) -> dict[str, float]:
    """`name droplet` → value, of the samples that have no further label."""
    samples = [s for family in read_text(generate_latest(metrics_registry(found)).decode()) for s in family.samples]
    return {f"{s.name} {s.labels.get('droplet', '')}": s.value for s in samples}


def test_every_droplet_is_asked_and_one_that_is_away_is_down(world):
    world.droplet("green")
    world.save("blue", 1, "/nowhere")
    world.switch("green")

    def work(api, stack):
        made = collector(api, stack)
        return asked(made), asked(made), made.told

    found, again, told = world.ask(work)
    assert (found["slipway_droplet_up green"], found["slipway_droplet_up blue"]) == (1, 0)
    assert found["slipway_releases_total green"] == 0  # the last one in the text: superseded
    assert "slipway_records_damaged blue" not in found
    assert found["slipway_prefect_up "] == again["slipway_prefect_up "] == 1
    (said,) = told
    assert said.startswith("blue: ")
    assert "cannot be reached" in said


def test_a_droplet_that_comes_back_is_up_again_and_told_so(world):
    world.droplet("green")
    block = world.blocks["slipway-droplet", "green"]
    world.save("green", 1, "/nowhere")

    def work(api, stack):
        made = collector(api, stack)
        before = asked(made)
        world.blocks["slipway-droplet", "green"] = block
        return before, asked(made), made.told

    before, after, told = world.ask(work)
    assert (before["slipway_droplet_up green"], after["slipway_droplet_up green"]) == (0, 1)
    assert told[-1] == "green answers again."


def test_a_droplet_that_hangs_keeps_the_scrape_waiting_only_so_long(world, monkeypatch):
    world.droplet("green")
    world.droplet("blue")
    go_on, look, hangs = threading.Event(), metrics._look, []
    monkeypatch.setattr(metrics, "_look", lambda place: go_on.wait() if place.name in hangs else look(place))

    def work(api, stack):
        made = collector(api, stack)
        before = asked(made)
        hangs.append("blue")
        made._patience = 3.0
        return before, asked(made), made.told

    try:
        before, found, told = world.ask(work)
    finally:
        go_on.set()
    assert before["slipway_droplet_up blue"] == 1
    assert found["slipway_droplet_up blue"] == 0
    assert "slipway_records_damaged blue" not in found
    assert "blue: it did not answer in time" in told


def test_without_prefect_the_droplets_that_are_known_are_asked_still(world):
    world.droplet("green")

    def work(api, stack):
        made = collector(api, stack)
        before = asked(made)
        world.said["/api/block_documents/filter"] = ["no block"]
        return before, asked(made)

    before, after = world.ask(work)
    assert (before["slipway_prefect_up "], after["slipway_prefect_up "]) == (1, 0)
    assert after["slipway_droplet_up green"] == 1


def test_what_was_found_is_told_again_while_it_is_young(world):
    world.droplet("green")

    def work(api, stack):
        made = collector(api, stack, age=FAR)
        first = asked(made)
        world.save("green", 1, "/nowhere")
        return first == asked(made), first, asked(collector(api, stack, age=FAR))

    same, first, anew = world.ask(work)
    assert same
    assert (first["slipway_droplet_up green"], anew["slipway_droplet_up green"]) == (1, 0)


def test_records_that_cannot_be_read_leave_the_droplet_up_and_its_counters_out(world):
    world.droplet("green")
    file = world.place / "green/shop/history/000003.json"
    file.write_text(file.read_text().replace('"shop"', '"other"'))
    found = world.ask(lambda api, stack: asked(collector(api, stack)))
    assert found["slipway_droplet_up green"] == 1
    assert "slipway_releases_total green" not in found


def test_drift_is_looked_for_beside_the_scrape_and_waited_for_where_it_is_asked_for_once(world):
    world.droplet("green")
    found = world.ask(lambda api, stack: asked(collector(api, stack, drift_every=FAR, wait_for_drift=True)))
    assert found["slipway_droplet_up green"] == 1
    assert "slipway_drift green" not in found  # the release there has nothing that Compose made of it
    assert "slipway_drift green" not in world.ask(lambda api, stack: asked(collector(api, stack)))


@contextmanager
def served(made: DropletMetrics):
    with metrics_server(made, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/metrics"
        finally:
            server.shutdown()
            thread.join(10)


def test_they_are_served_in_both_forms_without_a_secret_and_alike_after_a_restart(world):
    world.droplet("green")

    def work(api, stack):
        texts = []
        for _ in range(2):
            with served(collector(api, stack, Settings(home=""))) as url:
                texts.append(httpx.get(url, trust_env=False, timeout=60).text)
        with served(collector(api, stack, Settings(home=""))) as url:
            form = {"Accept": "application/openmetrics-text; version=1.0.0"}
            return texts, httpx.get(url, headers=form, trust_env=False, timeout=60)

    (first, second), openmetrics = world.ask(work)
    counters = [[line for line in text.splitlines() if "_total" in line] for text in (first, second)]
    assert counters[0] == counters[1] != []
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.rstrip().endswith("# EOF")
    assert SECRET not in first + openmetrics.text


def test_one_look_at_a_time_and_an_error_is_an_answer():
    begun, go_on = [], threading.Event()

    def look():
        begun.append(1)
        go_on.wait()
        raise ValueError("no")

    looked = Looked(look, 0.0)
    for _ in range(3):
        looked.begin(time.monotonic())
    assert looked.newest(time.monotonic()) is None
    go_on.set()
    answer = looked.newest(time.monotonic() + 60)
    assert (len(begun), answer.found, str(answer.error)) == (1, None, "no")


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1", "127.0.0.1:70000", "127.0.0.1:x", "203.0.113.7:9464"])
def test_an_address_that_cannot_be_had_is_refused(listen):
    said = CliRunner().invoke(main.app, ["metrics", "--stack", "shop", "--listen", listen])
    assert said.exit_code == 2
    assert f"--listen {listen}" in " ".join(said.output.replace("│", " ").split())
