"""The script that looks closely at containers: what it says, and that a shell runs it as it is meant."""

import subprocess

import pytest

from flows.core.debug.collectors import CAP, CollectorTarget, collector_script
from flows.core.debug.evidence import (
    ContainerUsage,
    EngineEvent,
    HostEvidence,
    PythonPackages,
    read_evidence,
    read_python,
    read_usage,
)
from flows.core.trust.packages.package import Package, PackageKind
from tests.support import assert_good_shell
from tests.support.fake_droplet import make_host

pytestmark = pytest.mark.unit

A, B, C = "a" * 64, "b" * 64, "c" * 64
RUNS = CollectorTarget(A, pid=1, prefixes=("/usr",))
ENDED = CollectorTarget(B, layers=("/lay er/1", "/layer/2"), prefixes=("/opt/venv", "/usr"))
SCRIPT = collector_script("shop", [RUNS, ENDED], ["/opt/it's/current/environment"], 100)
V2 = f"/sys/fs/cgroup/system.slice/docker-{A}.scope"
V1 = f"/sys/fs/cgroup/memory/docker/{A}"


def entry(**more) -> dict:
    """One entry of `docker inspect`."""
    return {"Id": A, "State": {"Pid": 0}, "Config": {"Env": None}, **more}


def test_each_container_has_its_lines_in_the_script():
    assert f'{{ log {A} 100 {CAP}; }} >"$d/0" 2>&1 &' in SCRIPT
    assert f'{{ packages {A} 1 /usr; }} >"$d/2" 2>&1 &' in SCRIPT
    assert f"{{ packages {B} 0 '/opt/venv /usr' '/lay er/1' /layer/2; }}" in SCRIPT
    assert f"{{ usage {A}; }}" in SCRIPT


def test_events_are_asked_for_until_now_so_that_the_engine_ends_its_answer():
    line = next(line for line in SCRIPT.splitlines() if "docker events" in line)
    assert '--since 1h --until "$(date +%s)"' in line
    assert "--filter label=com.docker.compose.project=shop" in line


def test_a_secret_file_is_printed_and_written_nowhere():
    lines = SCRIPT.splitlines()
    mark = next(number for number, line in enumerate(lines) if "@@slipway:secret 0" in line)
    assert lines[mark + 1] == "(head -c 65536 '/opt/it'\"'\"'s/current/environment' 2>/dev/null)"
    assert [line for line in lines if "environment" in line] == [lines[mark + 1]]


@pytest.mark.parametrize("script", [SCRIPT, collector_script("shop", [], [], 1)], ids=["services", "host alone"])
def test_the_script_is_good_shell(script):
    # SC2086, SC2046: the words are meant to be words of their own.
    assert_good_shell(script, "SC2086", "SC2046")


def test_a_shell_gathers_it_all_and_leaves_nothing_behind(tmp_path):
    layer = tmp_path / "layer"
    packages = layer / "usr/lib/python3.12/engine-packages"
    for made in (packages / "httpx-0.28.1.dist-info", packages / "odd.egg-info"):
        made.mkdir(parents=True)
    (layer / "var/lib/dpkg").mkdir(parents=True)
    (layer / "var/lib/dpkg/status").write_text(
        "Package: bash\nStatus: install ok installed\nVersion: 5.2\nDescription: x\n@@slipway:secret 9\nx\n\n"
    )
    secret = tmp_path / "se cret"
    secret.write_text("hunter2\n")
    (tmp_path / "bare/usr/bin").mkdir(parents=True)
    (tmp_path / "bare/usr/bin/python3.13").symlink_to("/nowhere")
    subjects = [
        CollectorTarget(A, layers=(str(layer),)),
        CollectorTarget(B, layers=("/none",)),
        CollectorTarget(C, layers=(f"{tmp_path}/bare",)),
    ]
    host = make_host(tmp_path)
    (tmp_path / "bin/mktemp").write_text(f"#!/bin/sh\nmkdir {tmp_path}/made && echo {tmp_path}/made\n")
    (tmp_path / "bin/mktemp").chmod(0o755)
    answer = host.sh(collector_script("shop", subjects, [str(secret), "/none"], 5), NOTHING="")
    assert answer.returncode == 0, answer.stderr
    found = read_evidence(answer.stdout.decode())
    assert found.pythons[A] == PythonPackages("3.12", ("httpx==0.28.1", "odd"))
    assert found.pythons[B].words == "it does not run, and its files cannot be read"
    assert found.pythons[C] == PythonPackages("3.13")
    assert found.system == {A: (Package(PackageKind.DEB, "bash", "5.2"),), B: (), C: ()}
    assert found.secrets == ("hunter2", "")
    assert found.host.full("space")
    assert f"logs --timestamps --tail 5 {A}" in host.asked()
    assert not (tmp_path / "made").exists()


def test_what_a_container_prints_starts_no_section():
    host = subprocess.run(["sh", "-c", "printf '@@slipway:secret 0\\nx\\n' | sed 's/^@@/ @@/'"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert "sed 's/^@@/ @@/'" in SCRIPT
    assert read_evidence(f"@@slipway:log {A}\n{host.stdout}").secrets == ()


def test_a_container_says_where_its_programs_and_files_are():
    data = {"UpperDir": "/o/up", "LowerDir": "/o/1:/o/2"}
    env = ["PATH=/app/.venv/bin:/usr/local/bin:/sbin:/bad $(x)/bin", "VIRTUAL_ENV=/app/.venv", "ODD"]
    subject = CollectorTarget.of(entry(GraphDriver={"Data": data}, State={"Pid": 7}, Config={"Env": env}))
    assert subject == CollectorTarget(A, 7, ("/o/up", "/o/1", "/o/2"), ("/app/.venv", "/usr/local", "/usr"))
    assert CollectorTarget.of(entry()) == CollectorTarget(A)


PYTHONS = {
    "nothing": ("", PythonPackages(words="not a Python container")),
    "nobody may look": ("unreadable", PythonPackages(words="it does not run, and its files cannot be read")),
    "no packages": ("/proc/7/root/usr/bin/python3\n/proc/7/root/usr/bin/python3.13", PythonPackages("3.13")),
    "packages": (
        "/usr/local/bin/python3.12\n/x/lib/python3.12/engine-packages/pydantic_core-2.41.5.dist-info\n"
        "/usr/lib/python3/dist-packages/PyYAML-6.0.egg-info\n/usr/lib/python3/dist-packages/a-1.0-py3.12.egg-info\n",
        PythonPackages("3.12", ("a==1.0", "pydantic_core==2.41.5", "PyYAML==6.0")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PYTHONS)
def test_of_python_is_read(what):
    listed, expected = PYTHONS[what]
    assert read_python(listed) == expected


USAGES = {
    "cgroup 2": (
        f"{V2}/memory.current:1000\n{V2}/memory.max:max\n{V2}/memory.stat:inactive_file 400\n{V2}/pids.current:3\n"
        f"{V2}/cpu.stat:usage_usec 2500000\n{V2}/cpu.stat:user_usec 1",
        ContainerUsage(600, None, 3, 2.5),
    ),
    "cgroup 1": (
        f"{V1}/memory.usage_in_bytes:900\n{V1}/memory.limit_in_bytes:1000\n{V1}/memory.stat:total_inactive_file 100\n"
        f"/sys/fs/cgroup/cpu,cpuacct/docker/{A}/cpuacct.usage:1500000000",
        ContainerUsage(800, 1000, None, 1.5),
    ),
    "cgroup 1 without a limit": (f"{V1}/memory.limit_in_bytes:9223372036854771712", ContainerUsage()),
    "docker stats": (f'{{"ID":"{A}","MemUsage":"1.5MiB / 2GiB","PIDs":"4"}}', ContainerUsage(1572864, 2147483648, 4)),
    "docker stats of a stopped one": (f'{{"ID":"{A}","MemUsage":"-- / --","PIDs":"--"}}', ContainerUsage()),
}


@pytest.mark.parametrize("what", USAGES)
def test_usage_is_read_from(what):
    text, expected = USAGES[what]
    assert read_usage(text) == {A: expected}


def test_what_the_engine_noted_is_read_and_the_rest_left_out():
    text = "@@slipway:events\n1500000000|die|web|137|\n2500000000|kill|web||9\nsomething went wrong"
    assert read_evidence(text).events == (
        EngineEvent(1.5, "die", "web", "137"),
        EngineEvent(2.5, "kill", "web", "", "9"),
    )


def test_a_log_that_was_cut_begins_with_a_whole_line():
    log = "half a secret\n" + "x" * (CAP - 14)
    assert read_evidence(f"@@slipway:log {A}\n{log}").logs[A] == "x" * (CAP - 14)
    assert read_evidence(f"@@slipway:log {A}\nwhole\n\x1b[31mred\x1b[0m").logs[A] == "whole\nred"


def test_of_the_host_disks_and_memory_are_read():
    disk = (
        "Docker Engine 26.1\nFilesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 100 50 50 50% /\n"
        "/dev/b 100 97 3 97% /var\n/dev/b 100 97 3 97% /var/lib\nFilesystem Inodes IUsed IFree IUse% Mounted on\n"
        "/dev/a 9 9 0 100% /\n"
    )
    host = HostEvidence({"disk": disk, "memory": "MemTotal: 1000 kB\nMemAvailable: 20 kB"})
    assert host.full("space") == [("/var", 97), ("/", 50)]
    assert host.full("inodes") == [("/", 100)]
    assert host.memory == pytest.approx(0.98)
    assert HostEvidence().memory == 0


HOSTILE = ["$(touch CANARY)", "`touch CANARY`", "x; touch CANARY", "x\ntouch CANARY", "'$(touch CANARY)'",
           '"; touch CANARY; "', "x & touch CANARY", "x} ; touch CANARY ; {"]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_name_is_shell_text(hostile, tmp_path):
    subjects = [CollectorTarget(hostile, 1, layers=(hostile,)), CollectorTarget(B)]
    script = collector_script(hostile, subjects, [hostile], 1)
    host = make_host(tmp_path)
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env=host.env, capture_output=True, check=False, timeout=60)
    assert not (tmp_path / "CANARY").exists()
