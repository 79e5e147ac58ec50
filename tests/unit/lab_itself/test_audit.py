"""The audit of the lock files: findings fail it, and where nobody can be asked it says so and ends well."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests import CHECKOUT

pytestmark = pytest.mark.unit

SOUND = {"name": "sound", "version": "1", "vulns": []}
WRONG = {"name": "wrong", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.fixture
def audit(tmp_path):
    """Runs it with a `pip-audit` that prints this and ends with that."""

    def run(out: str, err: str, code: int) -> tuple[int, str]:
        stub = tmp_path / "pip-audit"
        (tmp_path / "out").write_text(out)
        (tmp_path / "err").write_text(err)
        stub.write_text(
            f'#!/bin/sh\necho "$@" >>{tmp_path}/argv\ncat {tmp_path}/out; cat {tmp_path}/err >&2; exit {code}\n'
        )
        stub.chmod(0o755)
        done = subprocess.run(
            [sys.executable, CHECKOUT / "compose/lab/audit.py", "cache", "a.lock", "b.lock"],
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([SOUND], 0, "nothing known\n"),
        ([SOUND, WRONG], 1, "wrong 2: CVE-1, mended in 2.1\n"),
        ([SOUND, UNKNOWN], 0, "not known there: unknown\n"),
        ([UNKNOWN], 0, "skipped. There is no source of advisories here: it knows nothing of unknown\n"),
    ],
)
def test_what_is_known_of_a_package_is_a_finding(audit, tmp_path, packages, code, said):
    assert audit(json.dumps({"dependencies": packages}), "WARNING: hm", code) == (code, said)
    asked = re.findall(r"--requirement (\S+)", (tmp_path / "argv").read_text())
    assert asked == (["a.lock"] if "skipped" in said else ["a.lock", "b.lock"])


@pytest.mark.parametrize("line", ["requests.exceptions.ConnectionError: no", "503 Server Error: busy"])
def test_where_nobody_answers_it_says_so_and_ends_well(audit, line):
    assert audit("", f"Traceback\n{line}\n", 1) == (0, f"skipped. There is no source of advisories here: {line}\n")


def test_what_is_wrong_with_a_lock_file_is_no_missing_source(audit):
    line = "ERROR:pip_audit._cli:requirement x does not contain a hash"
    assert audit("", line, 1) == (1, f"a.lock: {line}\nb.lock: {line}\n")
