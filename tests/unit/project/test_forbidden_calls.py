"""What must not stand in the code at all: what turns a protection off. What `make lint` leaves out has a reason."""

import ast
import re
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from flows.core.stack.compose_yaml import _CoreLoader
from tests import CHECKOUT

pytestmark = pytest.mark.unit
CODE = {
    path: ast.parse(path.read_text())
    for room in ("flows", "blocks")
    for path in sorted((CHECKOUT / room).rglob("*.py"))
}
TRACKED = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.split()
DOCKERFILES = [name for name in TRACKED if name.endswith("Dockerfile")]
FORBIDDEN_NAMES = {"AutoAddPolicy", "WarningPolicy", "load_system_host_keys", "CERT_NONE", "_create_unverified_context"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
FORBIDDEN_CALLS = {"eval", "exec", "os.system", "os.popen", "yaml.unsafe_load", "yaml.full_load"}


def found(what: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    return (
        (f"{path.relative_to(CHECKOUT)}:{getattr(node, 'lineno', 0)}", node)
        for path, tree in CODE.items()
        for node in ast.walk(tree)
        if isinstance(node, what)
    )


def keyword(call: ast.Call, name: str) -> str | None:
    return next((ast.unparse(one.value) for one in call.keywords if one.arg == name), None)


def test_the_code_is_found():
    assert len(CODE) > 200


def test_no_host_key_is_trusted_unseen_and_no_certificate_unchecked():
    names = [(at, node.attr) for at, node in found(ast.Attribute)] + [(at, node.id) for at, node in found(ast.Name)]
    assert [one for one in names if one[1] in FORBIDDEN_NAMES] == []
    calls = [(at, keyword(call, "verify")) for at, call in found(ast.Call)]
    assert [one for one in calls if one[1] not in (None, "tls.context()", "context()")] == []


def test_ssh_takes_no_key_but_the_blocks_own():
    calls = [call for _, call in found(ast.Call) if keyword(call, "pkey")]
    assert len(calls) == 1
    assert [(keyword(call, "allow_agent"), keyword(call, "look_for_keys")) for call in calls] == [("False", "False")]


def test_nothing_that_is_read_makes_objects_or_runs():
    modules = [(at, alias.name) for at, node in found(ast.Import) for alias in node.names]
    modules += [(at, str(node.module)) for at, node in found(ast.ImportFrom)]
    assert [one for one in modules if one[1].split(".")[0] in FORBIDDEN_MODULES] == []
    called = [(at, ast.unparse(call.func)) for at, call in found(ast.Call)]
    assert [one for one in called if one[1] in FORBIDDEN_CALLS] == []
    loaded = [(at, keyword(call, "Loader")) for at, call in found(ast.Call) if ast.unparse(call.func) == "yaml.load"]
    assert [one for one in loaded if one[1] not in ("_CoreLoader", "yaml.SafeLoader", "yaml.CSafeLoader")] == []
    assert len(loaded) > 0


def test_no_command_of_the_build_host_goes_through_a_shell_of_python():
    calls = [(at, call) for at, call in found(ast.Call) if ast.unparse(call.func).startswith("subprocess.")]
    assert [at for at, call in calls if keyword(call, "shell")] == []
    assert len(calls) > 3


def test_the_loader_of_compose_files_makes_plain_values_alone():
    assert issubclass(_CoreLoader, yaml.constructor.SafeConstructor)


def test_no_script_asks_for_root():
    texts = [(at, node.value) for at, node in found(ast.Constant) if isinstance(node.value, str)]
    asks = {at.partition(":")[0] for at, text in texts if {"sudo", "doas", "su"} & set(text.split())}
    # Those of `slipway setup` make the user who needs none.
    others = {place for place in asks if not place.startswith("flows/core/droplet/setup/")}
    assert others == {"flows/core/stack/refused/command_line.py"}  # which knows these words of a service's command


def test_what_is_left_out_of_the_security_rules_has_a_reason():
    left_out = [
        f"{name}: {line.strip()}"
        for name in TRACKED
        if name.endswith(".py")
        for line in (CHECKOUT / name).read_text().splitlines()
        if re.search(r"# noqa: S\d", line)
    ]
    assert len(left_out) > 5
    assert [line for line in left_out if not re.search(r"# noqa: S\d+(, ?\w+\d+)* +(— )?\w+", line)] == []


@pytest.mark.parametrize("path", [".hadolint.yaml", *DOCKERFILES])
def test_what_is_left_out_of_hadolint_has_a_reason(path):
    lines = (CHECKOUT / path).read_text().splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if re.match(r"\s*- DL|# hadolint ignore", line):
            assert before.strip().startswith("# "), line


def test_the_sample_agents_do_not_run_as_root():
    users = re.findall(r"^USER (.+)", (CHECKOUT / "compose/agents/Dockerfile").read_text(), re.MULTILINE)
    assert users == ["agent"]
