"""What an interrupted start left half made is put right; the script is really run, with an engine that plays."""

import json
import os
import subprocess

import pytest

from flows.core.droplet.half_made import mend_half_made

pytestmark = pytest.mark.unit

# An engine whose containers stand in a file: id → name, state, and the container it was made to replace.
DOCKER = """\
#!/usr/bin/env python3
import json, os, re, sys
place = os.environ["CONTAINERS"]
there = json.load(open(place))
words = sys.argv[1:]
def find(key):
    return next((i for i, c in there.items() if key in (i, c["name"])), None)
if words[0] == "ps":
    assert "label=com.docker.compose.project=shop" in words
    wanted = dict(w.split("=", 1) for w in words if w.startswith(("name=", "status=")))
    for i, c in there.items():
        if re.search(wanted.get("name", ""), "/" + c["name"]) and wanted.get("status", c["state"]) == c["state"]:
            print(i)
elif words[:2] == ["container", "inspect"]:
    found = find(words[-1])
    if found is None:
        sys.exit(1)
    if "com.docker.compose.project" in " ".join(words):
        print(there[found].get("project", "shop"))
    elif "--format" in words:
        print("/" + there[found]["name"] if ".Name" in words[3] else there[found].get("replaces", ""))
elif words[0] == "rm":
    assert "--volumes" not in words and "-v" not in words
    del there[find(words[-1])]
elif words[0] == "rename":
    there[find(words[1])]["name"] = words[2]
else:
    sys.exit(f"not meant to be asked: {words}")
json.dump(there, open(place, "w"))
"""
OLD, NEW = "a" * 64, "b" * 64
HALF = f"{OLD[:12]}_shop-db-1"


@pytest.fixture
def mended(tmp_path):
    """Runs the script over these containers; what is there afterwards."""
    program, place = tmp_path / "docker", tmp_path / "containers.json"
    program.write_text(DOCKER)
    program.chmod(0o755)

    def run(containers: dict) -> dict:
        place.write_text(json.dumps(containers))
        env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CONTAINERS": str(place)}
        done = subprocess.run(
            ["sh", "-c", mend_half_made("shop")], env=env, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
        return {identity: found["name"] for identity, found in json.loads(place.read_text()).items()}

    return run


def made(name: str, state: str = "running", replaces: str = "") -> dict:
    return {"name": name, "state": state, "replaces": replaces}


def test_one_whose_place_is_still_taken_goes(mended):
    assert mended({OLD: made("shop-db-1", "exited"), NEW: made(HALF, "created", OLD)}) == {OLD: "shop-db-1"}


def test_one_that_is_all_that_is_left_of_its_service_gets_its_name(mended):
    assert mended({NEW: made(HALF, "created", OLD)}) == {NEW: "shop-db-1"}


def test_one_that_never_started_and_replaces_nobody_goes(mended):
    assert mended({NEW: made("shop-web-1", "created"), OLD: made("shop-db-1")}) == {OLD: "shop-db-1"}


def test_one_that_has_replaced_another_and_never_started_stays(mended):
    assert mended({NEW: made("shop-db-1", "created", OLD)}) == {NEW: "shop-db-1"}


def test_what_an_engine_lists_of_another_stack_stays_as_it_is(mended):
    theirs = {"project": "other"}
    there = {OLD: {**made(HALF, "created", OLD), **theirs}, NEW: {**made("other-web-1", "created"), **theirs}}
    assert mended(there) == {OLD: HALF, NEW: "other-web-1"}


def test_what_is_whole_stays(mended):
    whole = {OLD: made("shop-db-1"), NEW: made("shop-web-1", "exited")}
    assert mended(whole) == {OLD: "shop-db-1", NEW: "shop-web-1"}
    assert mended({}) == {}


def test_an_engine_that_does_not_answer_ends_it(tmp_path):
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "docker").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    assert subprocess.run(["sh", "-c", mend_half_made("shop")], env=env, check=False).returncode == 1
