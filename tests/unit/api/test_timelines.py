"""The timeline of a run is read from Prefect's API: its flows and steps, and nothing that wraps another."""

import pytest

from blocks.errors import PrefectFailed
from flows.api.client import PrefectApi
from flows.api.connection import ApiConnection
from flows.api.timelines import read_timelines
from tests.support.http_server import Says, serving

pytestmark = pytest.mark.unit

ID = "00000000-0000-0000-0000-00000000000{}".format
NOON = "2026-05-04T12:00:0{}+00:00".format


def flow(number: int, name: str, at: int, seconds: float, parent: int | None = None) -> dict:
    mine = {"id": ID(number), "name": name, "start_time": NOON(at), "total_run_time": seconds}
    return {**mine, "state_type": "COMPLETED", "parent_task_run_id": ID(parent) if parent else None}


def step(number: int, name: str, of: int, at: int, seconds: float = 1.0) -> dict:
    times = {"start_time": NOON(at), "total_run_time": seconds}
    return {"id": ID(number), "name": name, "flow_run_id": ID(of), **times}


class Prefect:
    """A release that called a deploy, which has two steps; its call is a step of the release's."""

    def __init__(self) -> None:
        self.steps = [step(7, "deploy", 1, 1, 5.0), step(8, "pull", 2, 3), step(9, "put", 2, 2), step(6, "build", 1, 0)]

    def __call__(self, asked):
        path = asked.path.removeprefix("/api")
        if path == f"/flow_runs/{ID(1)}":
            return Says(200, flow(1, "release v1", 0, 9.0))
        if path == "/flow_runs/filter":
            (parent,) = asked.json()["flow_runs"]["parent_flow_run_id"]["any_"]
            return Says(200, [flow(2, "deploy v1", 1, 5.0, parent=7)] if parent == ID(1) else [])
        if path == "/task_runs/filter":
            begin = asked.json()["offset"]
            return Says(200, self.steps[begin : begin + asked.json()["limit"]])
        return Says(404, {"detail": "none"})


def read(prefect, *ids: str):
    with serving(prefect) as server, PrefectApi(ApiConnection(f"{server.url}/api")) as api:
        return read_timelines(api, ids)


def test_steps_stand_below_the_flow_that_took_them_in_their_order():
    (found,), gone = read(Prefect(), ID(1))
    assert gone == []
    assert [(span.name, span.begin, span.depth, span.step) for span in found.spans] == [
        ("release v1", 0.0, 0, False), ("build", 0.0, 1, True), ("deploy v1", 1.0, 1, False), ("put", 2.0, 2, True),
        ("pull", 3.0, 2, True),
    ]  # fmt: skip
    assert (found.seconds, found.prefect_seconds) == (9.0, 6.0)


def test_runs_that_prefect_does_not_know_and_ids_that_are_none_are_told():
    found, gone = read(Prefect(), ID(5), "by hand", ID(1))
    assert ([one.id for one in found], gone) == ([ID(1)], [ID(5), "by hand"])


def test_a_run_of_more_steps_than_are_asked_for_says_so():
    prefect = Prefect()
    prefect.steps = [step(8, "one", 1, 1)] * 2400
    (found,), _ = read(prefect, ID(1))
    assert (found.whole, found.prefect_seconds) == (False, None)


def test_a_step_that_never_began_takes_no_time():
    prefect = Prefect()
    prefect.steps.append({**step(5, "skipped", 2, 0), "start_time": None})
    (found,), _ = read(prefect, ID(1))
    assert [(s.begin, s.seconds) for s in found.spans if s.name == "skipped"] == [(0.0, 0.0)]


@pytest.mark.parametrize("content", [[1], {"id": "x"}, "text", {"id": ID(1)}])
def test_what_is_not_prefect_is_refused(content):
    with pytest.raises(PrefectFailed, match="not Prefect's API"):
        read(lambda _asked: Says(200, content), ID(1))
