"""A triggered run: its parameters, its key, its exit code, and what CI is shown and given of it."""

import json
import re

import pytest
import yaml

from flows.core.control.ci.log import GitHubLog, GitLabLog, PlainLog, ci_commit, ci_log
from flows.core.control.ci.summary import run_summary
from flows.core.control.ci.trigger import Ending, ending_of, idempotency_key, trigger_parameters
from flows.core.control.ci.workflow import ci_workflow
from flows.core.errors import BadParameter

pytestmark = pytest.mark.unit

SOURCE = f"slipway @ git+https://example.com/slipway.git@{'c' * 40}"
SCHEMA = {
    "properties": {
        "ref": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "destination": {"type": "string"},
        "wait": {"type": "number"},
        "services": {"anyOf": [{"type": "array"}, {"type": "null"}]},
        "droplet": {"type": "string"},
    }
}


def parameters(*given: str, ref=None, destination=None, named=False, schema=SCHEMA):
    return trigger_parameters(given, schema, ref=ref, destination=destination, named=named)


def test_values_are_text_where_a_parameter_takes_text_and_json_elsewhere():
    assert parameters("droplet=5", "wait=5", 'services=["a"]', "ref=a=b") == {
        "droplet": "5", "wait": 5, "services": ["a"], "ref": "a=b",
    }  # fmt: skip


def test_null_is_nothing_where_a_parameter_may_be_nothing_and_a_word_where_not():
    choice = {"anyOf": [{"$ref": "#/x"}, {"type": "null"}]}
    schema = {"properties": {**SCHEMA["properties"], "strategy": choice, "tag": {}}}
    given = ("ref=null", "services=null", "droplet=null", "strategy=null", "tag=null")
    assert parameters(*given, schema=schema) == {
        "ref": None, "services": None, "droplet": "null", "strategy": None, "tag": "null",
    }  # fmt: skip
    assert parameters("strategy=rolling", schema=schema) == {"strategy": "rolling"}


def test_commit_and_destination_are_parameters_where_the_deployment_takes_them():
    assert parameters(ref="c", destination="prod") == {"ref": "c", "destination": "prod"}
    assert parameters("ref=mine", ref="c") == {"ref": "mine"}
    assert parameters(ref="c", schema={}) == {}


@pytest.mark.parametrize(
    ("given", "options", "words"),
    [
        (["droplt=a"], {}, "did you mean droplet"),
        (["x"], {}, "NAME=VALUE"),
        (["=x"], {}, "NAME=VALUE"),
        (["wait=5", "wait=6"], {}, "twice"),
        (["wait=soon"], {}, "JSON"),
        (["wait=NaN"], {}, "JSON"),
        (["wait=" + "[" * 100_000], {}, "JSON"),
        (["destination=a"], {"destination": "b"}, "twice"),
        (["ref=a"], {"ref": "b", "named": True}, "twice"),
        ([], {"destination": "a", "schema": {}}, "no parameter destination; it takes none"),
        ([], {"ref": "a", "named": True, "schema": {"properties": []}}, "no parameter ref"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_by_name(given, options, words):
    with pytest.raises(BadParameter, match=words):
        parameters(*given, **options)


def test_a_key_is_the_same_for_the_same_and_another_for_anything_else():
    key = idempotency_key("c", "d", "prod", {"a": 1, "b": 2})
    assert key == idempotency_key("c", "d", "prod", {"b": 2, "a": 1})
    others = [("x", "d", "prod", {"a": 1, "b": 2}), ("c", "x", "prod", {"a": 1, "b": 2}),
              ("c", "d", None, {"a": 1, "b": 2}), ("c", "d", "prod", {"a": "1", "b": 2})]  # fmt: skip
    assert len({key, *(idempotency_key(*other) for other in others)}) == 5


@pytest.mark.parametrize(
    ("kind", "name", "ending"),
    [
        ("COMPLETED", "Completed", Ending.COMPLETED),
        ("COMPLETED", "Superseded", Ending.COMPLETED),
        ("FAILED", "Failed", Ending.FAILED),
        ("FAILED", "TimedOut", Ending.TIMED_OUT),
        ("CRASHED", "Crashed", Ending.FAILED),
        ("CANCELLED", "Cancelled", Ending.CANCELLED),
        ("CANCELLED", "Superseded", Ending.SUPERSEDED),
        *((kind, kind.title(), None) for kind in ("RUNNING", "PENDING", "SCHEDULED", "PAUSED", "CANCELLING", "NEW")),
    ],
)
def test_a_state_has_an_ending_or_goes_on(kind, name, ending):
    assert ending_of(kind, name) is ending


def test_exit_codes_are_nobody_elses():
    assert not {Ending.CANCELLED.value, Ending.TIMED_OUT.value, Ending.SUPERSEDED.value, Ending.PAUSED.value} & {
        0, 1, 2, 3, 70, 130,
    }  # fmt: skip


HOSTILE = "100%\n::add-mask::x\n  ::set-env name=A::b\r\n\x1b]52;c;aGk=\x07##[group]y\r::error::x"


@pytest.mark.parametrize("log", [PlainLog(), GitHubLog(), GitLabLog()])
def test_words_of_others_command_no_runner(log):
    for said in (log.line(HOSTILE), log.error(HOSTILE).removeprefix("::error::")):
        assert not re.search(r"^\s*::|##\[|\x1b|\r|\x07", said, re.MULTILINE)
        assert "add-mask" in said


def test_an_annotation_of_github_is_one_line_and_reads_as_it_was():
    assert GitHubLog().error("50%\nb") == "::error::50%25%0Ab"
    assert "\n" not in GitHubLog().begin(HOSTILE, 1)


def test_a_section_of_gitlab_begins_and_ends_by_one_name():
    log = GitLabLog()
    assert log.begin("a\nb", 5) == "\x1b[0Ksection_start:5:slipway_run\r\x1b[0Ka b"
    assert log.end(6) == "\x1b[0Ksection_end:6:slipway_run\r\x1b[0K"


def test_the_surroundings_say_which_log_and_which_commit():
    assert type(ci_log({})) is PlainLog
    assert type(ci_log({"GITHUB_ACTIONS": "true"})) is GitHubLog
    assert type(ci_log({"GITLAB_CI": "true"})) is GitLabLog
    assert [ci_commit(said) for said in ({"GITHUB_SHA": "a"}, {"CI_COMMIT_SHA": "b"}, {"GITHUB_SHA": ""})] == [
        "a", "b", None,
    ]  # fmt: skip


def test_a_summary_shows_tables_and_steps_and_reads_no_markdown_of_others():
    rows = [{"service": "<img src=x>", "image": "`r/web@sha256:aa`", "a|b": "x|y"}]
    tables = [
        {"type": "table", "data": json.dumps(rows), "description": "# [click](http://x)"},
        {"type": "table", "data": "[" * 100_000},
        {"type": "table", "data": "[1]"},
        {"type": "markdown", "data": "<script>"},
    ]
    said = run_summary("run", "http://p/runs/1)", Ending.FAILED, "<b>no</b>", [("build", "Completed", 1.25)], tables)
    assert "🔴 failed · [the run](http://p/runs/1)" in said
    assert "`<b>no</b>`" in said
    assert "| `<img src=x>` | r/web@sha256:aa | x\\|y |" in said
    assert "### `# [click](http://x)`" in said
    assert "| build | Completed | 1.2 |" in said
    assert "<script>" not in said


@pytest.mark.parametrize("destination", [None, "production"])
def test_a_workflow_for_github_may_do_nothing_and_pins_its_actions(destination):
    workflow = yaml.safe_load(ci_workflow("github", SOURCE, destination, branch="trunk"))
    assert workflow["permissions"] == {}
    assert workflow[True]["push"]["branches"] == ["trunk"]
    steps = workflow["jobs"]["release"]["steps"]
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    assert steps[-1]["run"] == "slipway-trigger release" + (f" --destination {destination}" if destination else "")
    assert set(steps[-1]["env"]) == {"PREFECT_API_URL", "PREFECT_API_AUTH_STRING"}


def test_a_workflow_of_a_repository_names_its_stack_and_may_move_traffic():
    words = {"stack": "deploy/shop", "promote": True}
    step = yaml.safe_load(ci_workflow("github", SOURCE, "production", **words))["jobs"]["release"]["steps"][-1]
    assert step["run"] == (
        "slipway-trigger release --destination production -p stack=deploy/shop -p droplet=null -p promote=true"
    )
    job = yaml.safe_load(ci_workflow("gitlab", SOURCE, "production", stack="."))["release"]
    assert job["script"][-1].endswith("-p stack=. -p droplet=null")


def test_a_job_for_gitlab_lets_pass_what_is_no_failure():
    job = yaml.safe_load(ci_workflow("gitlab", SOURCE, "staging"))["release"]
    assert job["allow_failure"]["exit_codes"] == [Ending.SUPERSEDED.value, Ending.PAUSED.value]
    assert job["script"][-1] == "slipway-trigger release --destination staging"
    assert job["resource_group"] == "release-staging"


@pytest.mark.parametrize(
    "words",
    [{"destination": "a; rm"}, {"branch": "a\nb"}, {"deployment": "$(x)"}, {"source": "x' 'y"}, {"stack": "a b"}],
)
def test_a_name_that_is_more_than_a_word_makes_no_workflow(words):
    with pytest.raises(BadParameter):
        ci_workflow(**{"kind": "github", "source": SOURCE, **words})
