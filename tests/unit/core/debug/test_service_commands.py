"""The log of a service and a command inside of it, as argv; which place has a service; what ends with whoever asked."""

import subprocess

import pytest

from flows.core.debug.service_commands import exec_argv, logs_argv, read_service_names, services_script, with_service
from flows.core.droplet.directories import StackDirectory
from flows.core.errors import ConflictingOptions, NothingDeployed, UnknownService
from tests.support import assert_good_shell

pytestmark = pytest.mark.unit

HOME = StackDirectory("/opt/slip way", "shop")
COMPOSE = "/opt/slip way/shop/current/compose"


def test_the_log_is_asked_of_the_releases_own_compose():
    assert logs_argv(HOME, ["web"], tail=5) == [COMPOSE, "logs", "--no-color", "--tail", "5", "--", "web"]
    assert logs_argv(HOME, ["web"], tail=5, since="10m") == [
        COMPOSE, "logs", "--no-color", "--tail", "5", "--since", "10m", "--", "web",
    ]  # fmt: skip


def test_a_command_runs_without_a_terminal_and_its_words_are_no_options():
    assert exec_argv(HOME, "web", ["ls", "-l"]) == [COMPOSE, "exec", "--no-TTY", "--", "web", "ls", "-l"]


@pytest.mark.parametrize(
    "since", ["90s", "1h30m", "250ms", "2026-05-04", "2026-05-04T12:00:00Z", "2026-05-04T12:00:00.5+02:00"]
)
def test_a_duration_or_a_time_is_taken(since):
    assert since in logs_argv(HOME, ["web"], tail=1, since=since)


@pytest.mark.parametrize("since", ["yesterday", "10", "10m --follow", "--until", "-5m", "1h" * 5])
def test_anything_else_is_refused_before_anybody_is_asked(since):
    with pytest.raises(ConflictingOptions, match="--since"):
        logs_argv(HOME, ["web"], tail=1, since=since)


def test_what_is_followed_ends_when_nobody_listens_any_more():
    argv = logs_argv(StackDirectory("/tmp", "x"), [], tail=1, follow=True)
    assert argv[4:] == ["/tmp/x/current/compose", "logs", "--no-color", "--tail", "1", "--follow", "--"]
    with subprocess.Popen([*argv[:4], "sleep", "1000"], stdin=subprocess.PIPE) as running:
        running.stdin.close()
        assert running.wait(timeout=60) != 0


def test_what_is_followed_and_ends_by_itself_has_its_own_exit_code():
    argv = logs_argv(HOME, [], tail=1, follow=True)
    with subprocess.Popen([*argv[:4], "sh", "-c", "exit 7"], stdin=subprocess.PIPE) as running:
        assert running.wait(timeout=60) == 7
        running.stdin.close()


def test_services_are_those_that_have_containers_each_once():
    assert_good_shell(services_script(HOME))
    assert read_service_names("\n@@slipway:services\nweb\ndb\nweb\n\n@@slipway:release\n{}\n") == ("db", "web")


PLACES = {"green": ("web", "worker"), "blue": ("web",), "data": ("db",)}


@pytest.mark.parametrize(("service", "found"), [("web", ("green", "blue")), ("db", ("data",)), ("worker", ("green",))])
def test_a_service_is_found_wherever_it_runs(service, found):
    assert with_service(PLACES, service) == found


def test_a_service_that_is_nowhere_is_refused_with_near_names():
    with pytest.raises(UnknownService, match=r"no service wep on green, blue, data. There: web$"):
        with_service(PLACES, "wep")
    with pytest.raises(UnknownService, match="There: db, web, worker"):
        with_service(PLACES, "quite-another")


def test_where_nothing_runs_there_is_nothing_to_choose_from():
    with pytest.raises(NothingDeployed):
        with_service({"green": ()}, "web")
