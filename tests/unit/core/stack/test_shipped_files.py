"""What belongs to a release: all that the compose files refer to, sorted by who owns it."""

import pytest

from flows.core.errors import BrokenStack
from flows.core.stack.shipped_files import EnvironmentFile, find_stack_files
from tests.support.builders import stack

pytestmark = pytest.mark.unit


def bind(source: str, read_only: bool = False) -> dict:
    return {"type": "bind", "source": source, "target": "/x", "read_only": read_only}


def sources_of(services: dict, text: str, environment: tuple = (), files: tuple = ("/p/s/compose.yml",), **more):
    return find_stack_files(stack(services, **more), "/p/s", files, environment, [text])


def test_read_only_mounts_ship_and_writable_ones_are_state():
    services = {"web": {"volumes": [bind("/p/s/nginx.conf", True), bind("/p/s/uploads")]}}
    found = sources_of(services, "services: {web: {volumes: [./nginx.conf:/x:ro, ./uploads:/x]}}")
    assert (found.shipped, found.state, found.host_paths) == (("/p/s/nginx.conf",), ("/p/s/uploads",), ())
    assert found.readers["web"] == ("/p/s/nginx.conf",)
    assert found.relative("/p/s/nginx.conf") == "nginx.conf"


def test_a_path_that_stands_absolute_in_the_file_is_the_droplets_own():
    services = {"web": {"volumes": [bind("/var/run/docker.sock"), bind("/p/s/inside", True)]}}
    found = sources_of(services, "a: [/var/run/docker.sock:/x, /p/s/inside]")
    assert (found.host_paths, found.shipped) == (("/var/run/docker.sock", "/p/s/inside"), ())


def test_a_path_from_a_variable_outside_the_project_is_the_droplets_own():
    found = sources_of({"web": {"volumes": [bind("/srv/data")]}}, "a: ['${DATA}:/x']")
    assert (found.host_paths, found.state, found.root) == (("/srv/data",), (), "/p/s")


def test_files_above_the_compose_file_move_the_root_up():
    services = {"web": {"volumes": [bind("/p/config/app.yml", True)]}}
    found = sources_of(services, "a: ['../config/app.yml:/x:ro']")
    assert (found.root, found.shipped) == ("/p", ("/p/config/app.yml",))
    assert found.relative("/p/s/compose.yml") == "s/compose.yml"


def test_a_path_from_a_variable_stays_the_droplets_own_beside_files_above_the_compose_file():
    services = {"web": {"volumes": [bind("/p/config/app.yml", True), bind("/srv/data")]}}
    found = sources_of(services, "a: ['../config/app.yml:/x:ro', '${DATA}:/x']")
    assert (found.host_paths, found.state, found.root) == (("/srv/data",), (), "/p")


def test_a_path_that_begins_above_the_compose_file_and_ends_in_a_variable_belongs_to_the_stack():
    services = {"web": {"volumes": [bind("/p/config-live/app.yml", True)]}}
    assert sources_of(services, "a: ['../config-${STAGE}/app.yml:/x']").shipped == ("/p/config-live/app.yml",)


@pytest.mark.parametrize(
    ("spoken", "path", "ours"),
    [
        ("..", "/p/data", True),
        ("..", "/prod", False),
        ("../${DATA}:/x", "/p/data", True),
        ("../${DATA}:/x", "/prod/data", False),
        ("../../..:/x", "/anything", False),
        ("./x", "/p/s-other", False),
    ],
)
def test_above_the_compose_file_only_what_is_spoken_of_belongs_to_the_stack(spoken, path, ours):
    found = sources_of({"web": {"volumes": [bind(path)]}}, f"a: ['{spoken}', '${{HOST}}:/y']")
    assert (path in found.state, path in found.host_paths) == (ours, not ours)


@pytest.mark.parametrize(("spoken", "path"), [(".", "/p/s"), ("..", "/p")])
def test_a_service_may_not_write_where_the_compose_files_are(spoken, path):
    with pytest.raises(BrokenStack, match=f"a service writes to {path}, which holds the stack's compose files"):
        sources_of({"web": {"volumes": [bind(path)]}}, f"a: ['{spoken}:/x']")
    assert sources_of({"web": {"volumes": [bind(path, True)]}}, f"a: ['{spoken}:/x:ro']").shipped == (path,)


def test_an_included_file_above_may_refer_to_what_lies_beside_it():
    services = {"web": {"volumes": [bind("/p/db/init.sql", True)]}}
    files = ("/p/s/compose.yml", "/p/db/compose.yml")
    found = find_stack_files(
        stack(services), "/p/s", files, (), ["include: [../db/compose.yml]", "a: ['./init.sql:/x']"]
    )
    assert found.shipped == ("/p/db/init.sql",)


def test_a_secret_file_comes_from_the_environment_and_never_ships():
    services = {"web": {"secrets": [{"source": "key"}]}, "job": {"secrets": [{"source": "key", "mode": "0440"}]}}
    found = sources_of(services, "a: ./key.txt", secrets={"key": {"file": "/p/s/key.txt"}})
    assert found.shipped == ()
    assert found.environment_files == (EnvironmentFile(path="/p/s/key.txt", secret=True, mode=0o640),)
    assert found.secret_readers == {"web": ("/p/s/key.txt",), "job": ("/p/s/key.txt",)}


def test_an_absolute_secret_file_is_the_droplets_own():
    services = {"web": {"secrets": ["key"]}}
    found = sources_of(services, "a: /etc/key", secrets={"key": {"file": "/etc/key"}})
    assert (found.environment_files, found.host_paths, found.secret_readers) == ((), ("/etc/key",), {})


def test_a_config_ships_and_its_reader_is_known():
    found = sources_of({"web": {"configs": ["app"]}}, "a: ./app.ini", configs={"app": {"file": "/p/s/app.ini"}})
    assert (found.shipped, found.readers["web"]) == (("/p/s/app.ini",), ("/p/s/app.ini",))


def test_env_files_belong_to_the_environment():
    entry = EnvironmentFile(path="/p/shared.env")
    found = sources_of({"web": {}}, "env_file: ../shared.env", (entry,))
    assert (found.environment_files, found.root) == ((entry,), "/p")


def test_named_volumes_and_temporary_ones_are_none_of_the_releases_business():
    mounts = [{"type": "volume", "source": "data", "target": "/x"}, {"type": "tmpfs", "target": "/tmp"}]
    found = sources_of({"web": {"volumes": mounts}}, "a: b")
    assert (found.shipped, found.state, found.host_paths) == ((), (), ())
