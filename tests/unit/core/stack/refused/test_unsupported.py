"""Fields that no release can carry are refused by name, with their line."""

import pytest

from flows.core.errors import UnsupportedField
from flows.core.stack.refused.unsupported import refuse_label_files, refuse_unsupported

pytestmark = pytest.mark.unit

FOUND = {
    "a provider": (
        {"provider": {"type": "awesomecloud"}},
        "provider: {type: awesomecloud}",
        "web is provided by awesomecloud (`provider:`)",
    ),
    "a model": ({"models": {"llm": None}}, "models: [llm]", "web uses the model llm (`models:`)"),
    "an image for a volume": (
        {"volumes": [{"type": "image", "source": "tools:1", "target": "/t"}]},
        "volumes: [{type: image, source: 'tools:1', target: /t}]",
        "web mounts the image tools:1: a release pins the images of services, and no other",
    ),
    "a hook with an image": (
        {"pre_start": [{"command": ["a"], "image": "migrate:1"}]},
        "pre_start: [{image: 'migrate:1'}]",
        "web has a hook with the image migrate:1",
    ),
    "a secret of Swarm": ({"secrets": [{"source": "key"}]}, "secrets: [key]", "web is given the secret key: Comp"),
    "a config of Swarm": ({"configs": ["conf"]}, "configs: [conf]", "web is given the config conf: "),
}  # fmt: skip
EXTERNAL = {"secrets": {"key": {"external": True}}, "configs": {"conf": {"external": True}}}


def refused(spec: dict, field: str, **config) -> str:
    text = f"services:\n  web:\n    image: x\n    {field}\n"
    try:
        refuse_unsupported({"services": {"web": spec}, **config}, {"compose.yaml": text})
    except UnsupportedField as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("spec", "field", "words"), FOUND.values(), ids=FOUND)
def test_what_no_release_can_carry_is_refused_with_its_line(spec, field, words):
    assert f"compose.yaml:4 {words}" in refused(spec, field, **EXTERNAL)


@pytest.mark.parametrize(
    "spec",
    [
        {"gpus": [{"count": -1}], "deploy": {"mode": "global"}, "develop": {"watch": []}},
        {"volumes": [{"type": "volume", "source": "data"}], "pre_start": [{"command": ["a"]}], "models": None},
        {"secrets": [{"source": "key"}], "configs": ["conf"]},
    ],
    ids=["fields that Compose obeys or passes over", "the same without an image", "what has a content"],
)
def test_what_a_release_can_carry_is_not_refused(spec):
    known = {"secrets": {"key": {"environment": "KEY"}}, "configs": {"conf": {"content": "x"}}, "models": {"llm": {}}}
    assert refused(spec, "", **known) == ""


def test_what_nobody_uses_does_not_count():
    assert refused({}, "", **EXTERNAL) == ""


def test_every_finding_is_named_at_once():
    assert refused({"provider": {"type": "a"}, "models": {"b": None, "c": None}}, "").count("; ") == 2


@pytest.mark.parametrize("spec", [{"image": "x"}, {"build": {"context": "/s"}}])
def test_a_service_whose_name_begins_as_an_extensions_is_refused(spec):
    text = "services:\n  x-api:\n    image: x\n    build: .\n"
    with pytest.raises(UnsupportedField, match=r"compose\.yaml:[34] is of service x-api: its name begins with `x-`"):
        refuse_unsupported({"services": {"x-api": spec, "api": spec}}, {"compose.yaml": text})


@pytest.mark.parametrize("data", ["home", "disposable"])
def test_a_volume_of_such_a_name_is_refused_where_a_release_adds_to_it(data):
    spec = {"volumes": [{"type": "volume", "source": "x-rows"}, {"type": "volume"}], "x-slipway": {"data": data}}
    said = refused(spec, "volumes: ['x-rows:/r']", volumes={"x-rows": {}})
    assert ("compose.yaml:4 mounts the volume x-rows into web" in said) is (data == "home")


TIES = {
    "a network": ({"network_mode": "service:db"}, "network_mode: 'service:db'", "`network_mode: service:db`"),
    "processes": ({"pid": "service:db"}, "pid: 'service:db'", "`pid: service:db`"),
    "memory": ({"ipc": "service:db"}, "ipc: 'service:db'", "`ipc: service:db`"),
    "volumes": ({"volumes_from": ["container:x", "db:ro"]}, "volumes_from: ['db:ro']", "`volumes_from: db:ro`"),
    "a link": ({"links": ["db:sql"]}, "links: ['db:sql']", "`links: db:sql`"),
    "an image to build from": (
        {"build": {"additional_contexts": {"base": "service:db", "more": "/x"}}},
        "build: {additional_contexts: {base: 'service:db'}}",
        "`build: service:db`",
    ),
}


def tied(spec: dict, field: str, web: str | None, db: str | None) -> str:
    services = {"web": {**spec, "x-slipway": {"data": web}}, "db": {"x-slipway": {"data": db} if db else None}}
    text = f"services:\n  web:\n    image: x\n    {field}\n"
    try:
        refuse_unsupported({"services": services}, {"compose.yaml": text})
    except UnsupportedField as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("spec", "field", "words"), TIES.values(), ids=TIES)
def test_what_ties_services_of_the_data_home_and_the_colours_is_refused_with_its_line(spec, field, words):
    assert f"compose.yaml:4 ties web to db ({words}): one of the two runs on the data home" in tied(
        spec, field, None, "home"
    )
    assert "compose.yaml:4 ties web to db" in tied(spec, field, "home", "per-colour")


@pytest.mark.parametrize(("spec", "field", "words"), TIES.values(), ids=TIES)
@pytest.mark.parametrize("data", ["home", "disposable", None])
def test_where_both_run_in_one_place_they_may_be_tied(spec, field, words, data):
    assert tied(spec, field, data, data) == ""


@pytest.mark.parametrize("value", ["./labels", "[./labels, ./more]"])
def test_a_file_of_labels_is_refused_with_its_line(value):
    text = f"services:\n  web:\n    image: x\n    label_file: {value}\n"
    with pytest.raises(UnsupportedField, match=r"^a\.yaml:4 names a file of labels .* Write them under `labels:`"):
        refuse_label_files({"a.yaml": text})
    refuse_label_files({"a.yaml": "services: {web: {labels: {label_file: x}}}"})


HOMES = {
    "a mount": ({"volumes": [{"type": "bind", "source": "/s/~/data"}]}, "volumes: ['~/data:/d']", "~/data"),
    "the whole of it": ({"volumes": [{"type": "bind", "source": "/s/~"}]}, "volumes: ['~:/d']", "~"),
    "a volume on it": ({"volumes": [{"type": "volume", "source": "v"}]}, "volumes: [v]", "~/rows"),
    "a secret": ({"secrets": [{"source": "key"}]}, "secrets: [key]", "~/key"),
    "a config": ({"configs": ["conf"]}, "configs: [conf]", "~/conf"),
    "a seccomp profile": ({"security_opt": ["seccomp:~/s.json"]}, "security_opt: ['seccomp:~/s.json']", "~/s.json"),
}
BELOW_HOME = {
    "volumes": {"v": {"driver": "local", "driver_opts": {"device": "/s/~/rows"}}},
    "secrets": {"key": {"file": "/s/~/key"}}, "configs": {"conf": {"file": "/s/~/conf"}},
}  # fmt: skip


@pytest.mark.parametrize(("spec", "field", "path"), HOMES.values(), ids=HOMES)
def test_a_path_below_somebodys_home_directory_is_refused(spec, field, path):
    assert f" gives {path} to web: `~` is the home directory of whoever runs Compose" in refused(
        spec, field, **BELOW_HOME
    )


@pytest.mark.parametrize("path", ["/srv/a~", "/s/~a/b", "/s/a~/b", "/home/me/data"])
def test_a_tilde_elsewhere_is_a_letter_like_any_other(path):
    assert refused({"volumes": [{"type": "bind", "source": path}]}, "") == ""
