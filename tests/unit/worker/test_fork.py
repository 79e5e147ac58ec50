"""A fork is the process that `python -m module` would have been: arguments, environment, directory, exit status."""

import os
import signal
import sys

import pytest

from tests.support import wait_until
from tests.support.worker.forks import ended

pytestmark = pytest.mark.unit


def test_a_fork_has_the_arguments_environment_and_directory_that_were_asked_for(forked, tmp_path):
    (tmp_path / "there").mkdir()
    env = {"SEEN": "ü\n", "BYTES": os.fsdecode(b"\xff")}
    asked = forked.request("", env=env).env
    seen = "[sys.argv[1:], dict(os.environ), os.getcwd(), sys.path[0]]"
    arguments, environment, *places = forked.told(seen, "one", "two words", env=env, cwd=str(tmp_path / "there"))
    assert arguments == ["one", "two words"]
    assert environment == asked
    assert places == [str(tmp_path / "there")] * 2


def test_it_is_a_fork_of_the_template_and_has_what_that_imported(forked):
    assert forked.told("[os.getppid(), 'prefect' in sys.modules]") == [forked.template.pid, True]


def test_it_leads_a_session_and_inherits_nothing_but_its_streams(forked):
    inherited = "sorted(int(name) for name in os.listdir('/proc/self/fd'))[:-1]"
    own = "[os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()]"
    assert forked.told(f"[{own}, {inherited}]") == [[True, True], [0, 1, 2]]


def test_two_forks_draw_other_numbers_and_have_no_thread_and_no_loop_of_the_template(forked):
    first, other = (forked.told("__import__('random').random()") for _ in range(2))
    assert first != other
    assert forked.told("__import__('threading').active_count()") == 1
    assert forked.told("__import__('asyncio').run(__import__('asyncio').sleep(0, 'ran'))") == "ran"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("pass", 0),
        ("sys.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('a text')", 1),
        ("sys.exit(256 + 4)", 4),
        ("raise ValueError", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("os._exit(7)", 7),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("os.kill(os.getpid(), 15)", -signal.SIGTERM),
        ("os.abort()", -signal.SIGABRT),
        ("__import__('atexit').register(os._exit, 5)", 5),
        ("__import__('threading').Thread(target=lambda: (time.sleep(.05), os._exit(6))).start()", 6),
    ],
)
def test_its_exit_status_is_that_of_python(forked, code, status):
    assert forked.status(code) == status


def test_it_is_killed_together_with_what_it_started(forked, tmp_path):
    request = forked.request(
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "Path('child.new').write_text(str(child.pid)); os.rename('child.new', 'child')\n"
        "child.wait()"
    )

    async def kill(process):
        while not (tmp_path / "child").exists():
            await __import__("asyncio").sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        return await process.wait()

    assert forked.during(request, kill) == -signal.SIGKILL
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: ended(child))


def test_an_environment_of_two_megabytes_arrives_whole(forked):
    env = {f"V{number}": chr(0x41 + number) * 100_000 for number in range(20)}
    assert forked.told("sum(len(v) for k, v in os.environ.items() if k[0] == 'V')", env=env) == 2_000_000


def test_prefects_settings_and_the_time_zone_are_those_of_its_environment(forked):
    env = {"PREFECT_API_URL": "http://198.51.100.7/api", "PREFECT_LOGGING_LEVEL": "ERROR", "TZ": "Asia/Tokyo"}
    url = "__import__('prefect.settings').settings.get_current_settings().api.url"
    level = "__import__('logging').getLogger('prefect').level"
    assert forked.told(f"[{url}, {level}, time.tzname[0]]", env=env) == ["http://198.51.100.7/api", 40, "JST"]


def test_a_start_up_file_of_python_sees_its_environment(forked, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import os, builtins\nbuiltins.seen = os.environ.get('SEEN')\n")
    assert forked.told("[seen, os.getppid()]", env={"SEEN": "its own"}) == ["its own", forked.template.pid]


def test_code_that_the_template_imported_from_elsewhere_gets_a_python_of_its_own(forked, tmp_path):
    seen = "[__import__('yaml').mark, sys.argv[1:], 'prefect' in sys.modules]"
    (tmp_path / "yaml.py").write_text("mark = 'of the run'\n")
    assert forked.told(seen, "word") == ["of the run", ["word"], False]


def test_variables_that_python_reads_at_its_start_are_read(forked):
    env = {"PYTHONOPTIMIZE": "2", "PYTHONPATH": str(forked.place)}
    assert forked.told("sys.flags.optimize", env=env) == 2


def test_a_fork_that_wants_to_be_another_module_becomes_it_in_place(forked, tmp_path):
    (tmp_path / "another.py").write_text(
        "import json, os, sys\nfrom pathlib import Path\n"
        "told = [os.getpid(), os.getppid(), sys.argv[1:], os.environ['SEEN'], 'prefect' in sys.modules]\n"
        "Path('another.told').write_text(json.dumps(told))\nsys.exit(4)\n"
    )
    command = f"[{sys.executable!r}, '-m', 'another', 'word']"
    env = "{**os.environ, 'SEEN': 'another'}"
    code = f"async def become():\n    os.execvpe({sys.executable!r}, {command}, {env})\n__import__('anyio').run(become)"
    request = forked.request(code)

    async def wait(process):
        return process.pid, await process.wait()

    pid, status = forked.during(request, wait)
    told = __import__("json").loads((tmp_path / "another.told").read_text())
    assert status == 4
    assert told == [pid, forked.template.pid, ["word"], "another", True]


def test_a_fork_that_wants_to_be_another_program_is_replaced_by_it(forked):
    assert forked.status("os.execvpe('sh', ['sh', '-c', 'exit 5'], os.environ)") == 5


def test_where_it_writes_is_the_templates_output_or_nowhere(forked):
    places = "[os.readlink(f'/proc/self/fd/{n}') for n in range(3)]"
    quiet = forked.told(places, quiet=True)
    assert quiet == ["/dev/null"] * 3
    loud = forked.told(places)
    assert loud == ["/dev/null", *(os.readlink(f"/proc/{forked.template.pid}/fd/{number}") for number in (1, 2))]
