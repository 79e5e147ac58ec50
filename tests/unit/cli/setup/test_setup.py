"""`slipway setup`: what is asked before anything is done, what is saved, and that a second call does nothing."""

from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from blocks import Droplet
from blocks.ssh.keys import new_host_key
from flows.cli.app import app
from flows.cli.setup import setup as command
from flows.core.errors import DeploymentMissing
from flows.tasks.control import automations, control_plane, profile
from flows.tasks.droplet import setup as tasks
from flows.tasks.runs import blocks as saved
from tests.support.machine.fake_machine import FakeMachine

pytestmark = pytest.mark.unit
HOST_KEY = new_host_key()[1]


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A fresh machine, a Prefect server that answers, and what is saved there."""
    machine = FakeMachine(tmp_path / "machine")
    key = tmp_path / "key"
    key.write_text(new_host_key()[0])
    key.chmod(0o600)
    seen = SimpleNamespace(machine=machine, saved={}, served=True, started=[], key=str(key), made={})

    def save(self, name, **_more):
        seen.saved[name] = self

    def make(_settings):
        if seen.made is None:
            raise DeploymentMissing("no deployment")
        return seen.made

    def start(_say, directory):
        seen.served = True
        seen.started.append(directory)
        return SimpleNamespace(api="http://127.0.0.1:4999/api")

    monkeypatch.setattr(machine.__class__, "__enter__", lambda self: self, raising=False)
    monkeypatch.setattr(machine.__class__, "__exit__", lambda *_: None, raising=False)
    monkeypatch.setattr(Droplet, "session", lambda *_: machine)
    monkeypatch.setattr(Droplet, "seen_host_key", lambda *_: (HOST_KEY, "SHA256:abc"))
    monkeypatch.setattr(Droplet, "save", save)
    monkeypatch.setattr(saved, "find_droplet", seen.saved.get)
    monkeypatch.setattr(tasks, "try_deploy_user", lambda droplet: f"{droplet.user} reaches it")
    monkeypatch.setattr(automations, "ensure_automations", make)
    monkeypatch.setattr(control_plane, "start_control_plane", start)
    monkeypatch.setattr(profile, "ensure_profile", lambda _api: ("slipway:x", []))
    monkeypatch.setattr(command, "_server_answers", lambda: seen.served)
    return seen


def setup(world, *words, **more):
    words = ("setup", "web", "--host", "203.0.113.7", "--key-file", world.key, *words)
    done = CliRunner().invoke(app, words, **more)
    return done.exit_code, " ".join(done.output.split())


def test_the_plan_is_shown_and_done_after_two_answers_and_the_deploy_user_is_saved(world):
    code, said = setup(world, input="y\ny\n")
    assert (code, world.saved["web"].user, world.saved["web"].host_key) == (0, "slipway", HOST_KEY)
    assert said.index("deploy user make slipway") < said.index("Do this?") < said.index("Saved the droplet web")
    state = world.machine.state()
    code, said = setup(world)
    assert (code, world.machine.state()) == (0, state)
    assert said.endswith("Nothing to do: everything was there already, and nothing was changed.")
    assert "Pin" not in said


def test_a_droplet_that_is_saved_otherwise_is_named_before_it_is_replaced(world):
    assert setup(world, "--yes")[0] == 0
    world.saved["web"] = world.saved["web"].model_copy(update={"host": "203.0.113.8", "directory": "/srv/slipway"})
    code, said = setup(world, input="y\nn\n")
    assert (code, world.saved["web"].host) == (2, "203.0.113.8")
    assert "slipway@203.0.113.7:22, /opt/slipway; until now slipway@203.0.113.8:22, /srv/slipway" in said


@pytest.mark.parametrize(
    ("words", "answers", "code"), [((), "n\n", 2), ((), "y\nn\n", 2), ((), "", 2), (("--yes", "--dry-run"), "", 0)]
)
def test_without_a_yes_nothing_is_done(world, words, answers, code):
    before = world.machine.state()
    assert setup(world, *words, input=answers)[0] == code
    assert (world.saved, world.machine.scripts, world.machine.state()) == ({}, [], before)


def test_without_a_server_nothing_is_done_unless_one_is_wanted_here(world):
    world.served = False
    code, said = setup(world, "--yes")
    assert (code, world.machine.scripts) == (2, [])
    assert "ServerNeeded" in said
    code, said = setup(world, "--yes", "--dry-run")
    assert (code, world.started) == (0, [])
    code, said = setup(world, "--yes", "--control-plane")
    assert (code, len(world.started), "web" in world.saved) == (0, 1, True)
    world.served = False
    assert setup(world, "--no-control-plane")[0] == 2
    assert setup(world, input="y\ny\ny\n")[0] == 0
    assert len(world.started) == 2


def test_automations_that_were_made_are_told_and_missing_deployments_are_no_failure(world):
    world.made = {"recover": "created", "crash": "as it was"}
    code, said = setup(world, "--yes")
    assert (code, "recover: created" in said, "crash" in said) == (0, True, False)
    world.made = None
    code, said = setup(world, "--yes")
    assert (code, "No automations yet: no deployment." in said) == (0, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--url", "https://a.example.com"), "need --edge"),
        (("--key-file", "/nowhere/key"), "there is no private key /nowhere/key"),
        (("--deploy-user", "root"), "SetupRefused"),
        (("--swap", "much"), "is no size"),
        (("--docker-from", "somewhere"), "docker.com"),
    ],
)
def test_bad_input_is_refused_before_the_machine_is_asked_anything(world, words, said):
    code, out = setup(world, "--yes", *words)
    assert (code, said in out, world.machine.scripts) == (2, True, []), out
