"""What a release brings to writable paths: the decision, path by path."""

import pytest

from flows.core.deploy.files.writable import (
    BELOW,
    BOTH,
    DELETED,
    GONE,
    Bringing,
    PathChange,
    brought,
    in_question,
    mounted_roots,
    plan_bringing,
    sentences,
)
from tests.support.files.trees import directory, file, link

pytestmark = pytest.mark.unit

ONE, TWO, MINE = file(b"1"), file(b"2"), file(b"mine")
D = directory()


def decide(base: dict | None, new: dict, there: dict, **rules: str) -> Bringing:
    """Everything lies below the mounted directory `d`, which stands there."""
    bases = [] if base is None else [{"d": D, **base}]
    new, there = {"d": D, **new}, {"d": D, **there}
    paths = in_question(bases, new, ["d"])
    rule = {path.replace("__", "/"): rule for path, rule in rules.items()}
    return plan_bringing(bases, new, {path: there.get(path) for path in paths}, ["d"], rule)


PUT, DELETE = PathChange("put", "d/a", ONE, 0o644), PathChange("delete", "d/a", ONE)
CASES = {
    "new, and nothing there": (None, ONE, None, [PathChange("put", "d/a", None, 0o644)], {}),
    "new, and the same there": (None, ONE, ONE, [], {}),
    "new, and the service has one": (None, ONE, MINE, [], {"d/a": BOTH}),
    "changed, and untouched": (ONE, TWO, ONE, [PathChange("put", "d/a", ONE, 0o644)], {}),
    "changed, and as new already": (ONE, TWO, TWO, [], {}),
    "changed by both": (ONE, TWO, MINE, [], {"d/a": BOTH}),
    "changed, and deleted by the service": (ONE, TWO, None, [], {"d/a": DELETED}),
    "unchanged, and changed by the service": (ONE, ONE, MINE, [], {}),
    "unchanged, and deleted by the service": (ONE, ONE, None, [], {}),
    "gone, and untouched": (ONE, None, ONE, [DELETE], {}),
    "gone, and changed by the service": (ONE, None, MINE, [], {"d/a": GONE}),
    "gone, and deleted by the service": (ONE, None, None, [], {}),
    "a directory is new": (None, D, None, [PathChange("directory", "d/a", mode=0o755)], {}),
    "a directory is gone": (D, None, D, [PathChange("remove-directory", "d/a")], {}),
    "a directory that the service deleted": (D, D, None, [], {}),
    "a file became a directory": (
        ONE, D, ONE, [DELETE, PathChange("directory", "d/a", mode=0o755)], {},
    ),
    "a file that the service changed became a directory": (ONE, D, MINE, [], {"d/a": BOTH}),
    "a directory became a file": (D, ONE, D, [PathChange("put", "d/a", D, 0o644)], {}),
    "a link changed": (link("x"), link("y"), link("x"), [PathChange("put", "d/a", link("x"), 0o777)], {}),
    "a link that the service turned": (link("x"), link("y"), link("z"), [], {"d/a": BOTH}),
    "only the mode changed": (ONE, file(b"1", 0o600), ONE, [PathChange("mode", "d/a", ONE, 0o600)], {}),
    "the service changed the mode too": (ONE, file(b"1", 0o600), file(b"1", 0o640), [], {}),
    "the service's mode outlives a new content": (
        ONE, TWO, file(b"1", 0o640), [PathChange("put", "d/a", file(b"1", 0o640), 0o640)], {},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("base", "new", "there", "changes", "kept"), CASES.values(), ids=CASES)
def test_one_path(base, new, there, changes, kept):
    one = lambda entry: {"d/a": entry} if entry else {}  # noqa: E731
    found = decide(one(base), one(new), one(there))
    assert (list(found.changes), dict(found.kept), dict(found.refused)) == (changes, kept, {})


def test_without_a_base_what_differs_is_the_service_s():
    assert decide(None, {"d/a": ONE}, {"d/a": MINE}).kept == {"d/a": BOTH}
    assert decide(None, {"d/a": ONE}, {}).changes == (PathChange("put", "d/a", None, 0o644),)


@pytest.mark.parametrize("place", ["d/a", "d"])
def test_take_overwrites_and_refuse_refuses_there_and_below(place):
    take = decide({"d/a": ONE}, {"d/a": TWO}, {"d/a": MINE}, **{place: "take"})
    assert take.changes == (PathChange("put", "d/a", MINE, 0o644),)
    refuse = decide({"d/a": ONE}, {"d/a": TWO}, {"d/a": MINE}, **{place: "refuse"})
    assert (refuse.changes, dict(refuse.refused)) == ((), {"d/a": BOTH})


def test_the_nearest_rule_counts():
    found = decide({"d/a": ONE}, {"d/a": TWO}, {"d/a": MINE}, **{"d": "refuse", "d/a": "keep"})
    assert (found.kept, found.refused) == ({"d/a": BOTH}, {})


def test_what_only_a_service_has_is_never_looked_at():
    assert in_question([{"d": D}], {"d": D, "d/a": ONE}, ["d"]) == ("d", "d/a")


def test_a_directory_that_is_not_there_is_brought_whole():
    new = {"d": D, "d/a": ONE, "d/b/c": TWO}
    found = plan_bringing([], new, dict.fromkeys(new), ["d"], {})
    assert found.changes == (PathChange("all", "d"),)


def test_directories_are_made_before_what_is_in_them_and_removed_after_it():
    base, new = {"d/old": D, "d/old/x": ONE}, {"d/new": D, "d/new/in": D, "d/new/in/y": ONE}
    verbs = [(change.verb, change.path) for change in decide(base, new, base).changes]
    assert verbs == [
        ("delete", "d/old/x"),
        ("remove-directory", "d/old"),
        ("directory", "d/new"),
        ("directory", "d/new/in"),
        ("put", "d/new/in/y"),
    ]


@pytest.mark.parametrize("there", [link("/etc"), MINE], ids=["link", "file"])
def test_nothing_is_brought_through_what_a_service_put_in_a_directory_s_place(there):
    base = {"d/sub": D, "d/sub/a": ONE}
    found = decide(base, {"d/sub": D, "d/sub/a": TWO}, {"d/sub": there})
    assert (found.changes, dict(found.kept)) == ((), {"d/sub/a": BELOW})


def test_after_an_interrupted_run_what_either_release_brought_counts_as_untouched():
    before, begun, new = ({"d": D, "d/a": file(content), "d/b": file(content)} for content in (b"1", b"2", b"3"))
    there = {"d": D, "d/a": before["d/a"], "d/b": begun["d/b"]}
    paths = in_question([before, begun], new, ["d"])
    found = plan_bringing([before, begun], new, {path: there[path] for path in paths}, ["d"], {})
    assert [(change.verb, change.path) for change in found.changes] == [("put", "d/a"), ("put", "d/b")]
    assert found.kept == {}


def test_only_what_is_brought_counts_and_a_link_is_known_by_its_target_s_hash():
    tree = {"files/a": ONE, "seed/d": D, "seed/d/l": link("x")}
    assert set(brought(tree)) == {"d", "d/l"}
    assert brought(tree)["d/l"].target == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def test_mounted_paths_are_the_release_s_and_those_whose_files_came_before():
    assert mounted_roots(["a"], [{"old": D, "old/x": ONE}, {"file": ONE}]) == {"a", "old", "file"}


def test_what_stays_is_said_by_reason_and_not_without_end():
    kept = {**dict.fromkeys([f"a{n:02}" for n in range(15)], BOTH), "b\nc": GONE}
    said = dict(sentences(kept))
    assert said[BOTH].endswith("a11 and 3 more")
    assert said[GONE] == "b\\nc"
