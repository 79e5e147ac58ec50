"""What belongs to a release: all that the compose files refer to, sorted by who owns it."""

import pytest

from flows.core.errors import BadExtension, BrokenStack
from flows.core.stack.files.shipped_files import EnvironmentFile, find_stack_files
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
    assert found.readers["web"] == ("/p/s/nginx.conf", "/p/s/uploads")
    assert found.writers == {"/p/s/uploads": ("web",)}
    assert found.relative("/p/s/nginx.conf") == "nginx.conf"


def test_a_path_that_stands_absolute_in_the_file_is_the_droplets_own():
    services = {"web": {"volumes": [bind("/var/run/docker.sock"), bind("/p/s/inside", True)]}}
    found = sources_of(services, "a: [/var/run/docker.sock:/x, /p/s/inside]")
    assert (set(found.host_paths), found.shipped) == ({"/var/run/docker.sock", "/p/s/inside"}, ())


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
    services = {"web": {"secrets": [{"source": "key"}]}, "job": {"secrets": [{"source": "key", "mode": "0444"}]}}
    found = sources_of(services, "a: ./key.txt", secrets={"key": {"file": "/p/s/key.txt"}})
    assert found.shipped == ()
    assert found.environment_files == (EnvironmentFile(path="/p/s/key.txt", secret=True, mode=0o444),)
    assert found.secret_readers == {"web": ("/p/s/key.txt",), "job": ("/p/s/key.txt",)}
    assert found.secret_copies == ()


def test_an_absolute_secret_file_is_the_droplets_own():
    services = {"web": {"secrets": ["key"]}}
    found = sources_of(services, "a: /etc/key", secrets={"key": {"file": "/etc/key"}})
    assert (found.environment_files, found.host_paths, found.secret_readers) == ((), ("/etc/key",), {})


def test_a_config_ships_and_its_reader_is_known():
    found = sources_of({"web": {"configs": ["app"]}}, "a: ./app.ini", configs={"app": {"file": "/p/s/app.ini"}})
    assert (found.shipped, found.readers["web"]) == (("/p/s/app.ini",), ("/p/s/app.ini",))


def test_a_seccomp_profile_ships_and_its_service_is_its_reader():
    options = ["seccomp:./sec/a.json", "seccomp=../b.json", "seccomp=unconfined", "no-new-privileges:true"]
    own = ["seccomp:/etc/c.json", "apparmor:x"]
    found = sources_of({"web": {"security_opt": options}, "db": {"security_opt": own}}, "a: b")
    assert (found.shipped, found.root) == (("/p/s/sec/a.json", "/p/b.json"), "/p")
    assert found.readers == {"web": ("/p/s/sec/a.json", "/p/b.json"), "db": ()}


def test_env_files_belong_to_the_environment():
    entry = EnvironmentFile(path="/p/shared.env")
    found = sources_of({"web": {}}, "env_file: ../shared.env", (entry,))
    assert (found.environment_files, found.root) == ((entry,), "/p")


def test_named_volumes_and_temporary_ones_are_none_of_the_releases_business():
    mounts = [{"type": "volume", "source": "data", "target": "/x"}, {"type": "tmpfs", "target": "/tmp"}]
    found = sources_of({"web": {"volumes": mounts}}, "a: b")
    assert (found.shipped, found.state, found.host_paths) == ((), (), ())


def test_a_secret_that_only_some_may_read_stays_so():
    services = {"web": {"secrets": [{"source": "key", "mode": "0400"}]}}
    found = sources_of(services, "a: ./key.txt", secrets={"key": {"file": "/p/s/key.txt"}})
    assert found.environment_files[0].mode == 0o400


def test_an_env_file_that_is_a_secret_too_is_one_file():
    entry = EnvironmentFile(path="/p/s/key.txt", required=False)
    found = sources_of(
        {"web": {"secrets": ["key"]}}, "a: ./key.txt", (entry,), secrets={"key": {"file": "/p/s/key.txt"}}
    )
    assert found.environment_files == (EnvironmentFile(path="/p/s/key.txt", secret=True, mode=0o444),)


@pytest.mark.parametrize("mounted", [".", "../s/conf"])
def test_the_project_s_own_env_file_comes_from_the_environment_where_a_mount_holds_it(mounted):
    source = "/p/s" if mounted == "." else "/p/s/conf"
    found = sources_of({"web": {"volumes": [bind(source, True)]}}, f"a: ['{mounted}:/x:ro']")
    expected = (EnvironmentFile(path="/p/s/.env", required=False),) if mounted == "." else ()
    assert found.environment_files == expected


def volume(name: str, target: str = "/x", read_only: bool = False) -> dict:
    return {"type": "volume", "source": name, "target": target, "read_only": read_only}


def device(path: str, **more) -> dict:
    return {"driver": "local", "driver_opts": {"type": "none", "o": "bind", "device": path, **more}}


@pytest.mark.parametrize("read_only", [False, True])
def test_a_named_volume_on_a_directory_of_the_repository_outlives_releases(read_only):
    services = {"db": {"volumes": [volume("rows", read_only=read_only)]}}
    found = find_stack_files(
        stack(services), "/p/s", ("/p/s/compose.yml",), (), ["a: {device: ./data}"], {"rows": device("/p/s/data")}
    )
    assert (found.state, found.shipped, found.readers["db"]) == (("/p/s/data",), (), ("/p/s/data",))


def test_a_named_volume_on_a_directory_of_the_droplet_is_the_droplets_own():
    services = {"db": {"volumes": [volume("rows"), volume("nfs")]}}
    volumes = {"rows": device("/srv/data"), "nfs": device(":/export", o="addr=10.0.0.1", type="nfs"), "plain": None}
    found = find_stack_files(stack(services), "/p/s", ("/p/s/compose.yml",), (), ["a: {device: /srv/data}"], volumes)
    assert (found.state, found.host_paths) == ((), ("/srv/data",))


def test_what_is_read_around_a_written_directory_is_one_with_it():
    services = {"web": {"volumes": [bind("/p/s/conf", True)]}, "job": {"volumes": [bind("/p/s/conf/cache")]}}
    found = sources_of(services, "a: [./conf:/x:ro, ./conf/cache:/x]")
    assert (found.shipped, found.state) == ((), ("/p/s/conf",))
    assert found.readers == {"web": ("/p/s/conf",), "job": ("/p/s/conf/cache",)}


def test_what_is_read_inside_of_a_written_directory_comes_with_it():
    services = {"web": {"volumes": [bind("/p/s/data/seed.sql", True)]}, "db": {"volumes": [bind("/p/s/data")]}}
    found = sources_of(services, "a: [./data/seed.sql:/x:ro, ./data:/x]")
    assert (found.shipped, found.state) == ((), ("/p/s/data",))


def test_the_project_cannot_be_read_around_a_written_directory():
    services = {"web": {"volumes": [bind("/p/s", True), bind("/p/s/data")]}}
    with pytest.raises(BrokenStack, match="a service writes to a directory in /p/s, which holds the stack's compose"):
        sources_of(services, "a: ['.:/x:ro', './data:/x/data']")


def test_who_writes_where_is_known():
    services = {name: {"volumes": [bind("/p/s/data")]} for name in ("a", "b")}
    assert sources_of(services, "a: [./data:/x]").writers == {"/p/s/data": ("a", "b")}


@pytest.mark.parametrize("key", ["./data", "data", "/x", "../s/data"])
def test_a_mount_s_rule_names_it_as_the_compose_file_or_the_container_does(key):
    services = {"db": {"volumes": [bind("/p/s/data")], "x-slipway": {"mounts": {key: "take"}}}}
    assert sources_of(services, "a: [./data:/x]").rules == {"/p/s/data": "take"}


@pytest.mark.parametrize("key", ["./data/sub/a.ini", "/x/sub/a.ini"])
def test_a_rule_may_name_a_path_below_a_mount(key):
    services = {"db": {"volumes": [bind("/p/s/data")], "x-slipway": {"mounts": {key: "refuse"}}}}
    assert sources_of(services, "a: [./data:/x]").rules == {"/p/s/data/sub/a.ini": "refuse"}


def test_a_rule_may_name_a_volume():
    services = {"db": {"volumes": [volume("rows")], "x-slipway": {"mounts": {"rows": "take"}}}}
    found = find_stack_files(
        stack(services), "/p/s", ("/p/s/compose.yml",), (), ["a: {device: ./data}"], {"rows": device("/p/s/data")}
    )
    assert found.rules == {"/p/s/data": "take"}


def test_a_rule_for_no_mount_is_refused():
    services = {"db": {"volumes": [bind("/p/s/data")], "x-slipway": {"mounts": {"./date": "take"}}}}
    with pytest.raises(BadExtension, match=r"service db: x-slipway\.mounts: it has no mount \./date"):
        sources_of(services, "a: [./data:/x]")


def test_two_rules_for_one_directory_are_refused():
    services = {
        name: {"volumes": [bind("/p/s/data")], "x-slipway": {"mounts": {"/x": rule}}}
        for name, rule in (("a", "take"), ("b", "keep"))
    }
    with pytest.raises(BadExtension, match="/p/s/data is 'keep' here and 'take' for another service"):
        sources_of(services, "a: [./data:/x]")


def test_a_mounted_file_that_the_environment_holds_neither_ships_nor_outlives():
    services = {"web": {"volumes": [bind("/p/s/tls.key", True), bind("/p/s/b.json")]}}
    found = sources_of(services, "a: [./tls.key:/x:ro, ./b.json:/x]").given(
        {"/p/s/tls.key": 0o640, "/p/s/b.json": 0o600}
    )
    assert (found.shipped, found.state) == ((), ())
    assert found.secret_readers == {"web": ("/p/s/tls.key", "/p/s/b.json")}
    assert [(entry.path, entry.mode, entry.secret) for entry in found.environment_files] == [
        ("/p/s/tls.key", 0o640, True), ("/p/s/b.json", 0o600, True),
    ]  # fmt: skip


def test_what_a_mounted_path_is_called_does_not_say_where_the_checkout_lies():
    services = {"web": {"volumes": [bind("/p/s/a", True), bind("/p/s/b"), bind("/srv/c")]}}
    found = sources_of(services, "a: [./a:/x, ./b:/x, /srv/c:/x]")
    assert [found.called(path) for path in ("/p/s/a", "/p/s/b", "/srv/c")] == ["a", "b", "/srv/c"]
