"""What is planned for a machine: only what is missing, and nothing over what somebody set."""

import json
from dataclasses import replace

import pytest

from flows.core.droplet.setup.facts import DirectoryState, SetupFacts, read_setup_facts
from flows.core.droplet.setup.plan import SetupPlan, SetupWish, plan_setup
from flows.core.errors import DistributionUnknown, SetupRefused, UnreadableAnswer

pytestmark = pytest.mark.unit
KEY = "ssh-ed25519 AAAAC3Nz"
WISH = SetupWish("slipway", KEY)
FRESH = SetupFacts("debian", "13", "trixie", "x86_64", "root", True, frozenset({"apt-get"}), free=20 * 1024**3)
LIMITED = json.dumps({"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}})
READY = replace(
    FRESH, programs=frozenset({"apt-get", "docker", "dockerd"}), engine="26.1.5", compose="2.26.1-4", user=1001,
    groups=frozenset({"slipway", "docker"}), key=True, daemon=LIMITED, daemon_hash="0" * 64,
    directory=DirectoryState("directory", "slipway", 0o700), packages=frozenset({"docker.io"}),
)  # fmt: skip


def names(plan: SetupPlan) -> list[str]:
    return [step.name for step in plan.steps]


def sentence(facts: SetupFacts, name: str, wish: SetupWish = WISH) -> str:
    return next(step.sentence for step in plan_setup(facts, wish).steps if step.name == name)


def test_a_fresh_machine_gets_everything_in_an_order_that_restarts_nothing():
    assert names(plan_setup(FRESH, replace(WISH, swap="2G"))) == [
        "log limits", "engine", "deploy user", "key", "directory", "swap",
    ]  # fmt: skip
    assert "restart" not in plan_setup(FRESH, WISH).steps[0].script


def test_a_machine_that_has_everything_gets_nothing():
    assert plan_setup(READY, WISH) == SetupPlan()
    assert plan_setup(replace(READY, rights="sudo"), replace(WISH, log_limit="10m")) == SetupPlan()


@pytest.mark.parametrize(
    ("less", "step"),
    [
        ({"groups": frozenset({"slipway"})}, "deploy user"),
        ({"key": False}, "key"),
        ({"directory": DirectoryState()}, "directory"),
        ({"directory": DirectoryState("directory", "root", 0o755)}, "directory"),
        ({"directory": DirectoryState("directory", "slipway", 0o777, empty=False)}, "directory"),
        ({"engine": ""}, "engine"),
        ({"compose": ""}, "Compose"),
        ({"compose": "2.19.9"}, "Compose"),
        ({"daemon": None, "daemon_hash": ""}, "log limits"),
        ({"restart": True}, "log limits"),
    ],
)
def test_what_is_missing_is_one_step(less, step):
    assert names(plan_setup(replace(READY, **less), WISH)) == [step]


def test_where_docker_comes_from_is_said_with_its_reason():
    assert "docker.io, docker-cli, docker-compose" in sentence(FRESH, "engine")
    assert "from Debian 13 itself" in sentence(FRESH, "engine")
    ubuntu = replace(FRESH, distribution="ubuntu", version="24.04", codename="noble")
    assert "docker.io, docker-compose-v2" in sentence(ubuntu, "engine")
    old = replace(FRESH, version="12", codename="bookworm")
    assert "from docker.com, as Debian 12 has no Compose 2.20 or later" in sentence(old, "engine")
    assert "from docker.com, as asked" in sentence(FRESH, "engine", replace(WISH, docker_from="docker.com"))
    script = next(step for step in plan_setup(old, WISH).steps if step.name == "engine").script
    assert "URIs: https://download.docker.com/linux/debian\nSuites: bookworm\n" in script
    with pytest.raises(SetupRefused, match=r"Debian 12 have no Compose 2\.20.*--docker-from docker\.com"):
        plan_setup(old, replace(WISH, docker_from="distribution"))


@pytest.mark.parametrize(
    "other",
    [
        {"distribution": "alpine", "version": "3.20", "programs": frozenset()},
        {"distribution": "fedora", "version": "41", "programs": frozenset()},
        {"version": "11", "codename": "bullseye"},
        {"distribution": "ubuntu", "version": "20.04"},
        {"distribution": "", "version": ""},
        {"version": "12", "codename": "$(id)"},
    ],
)
def test_elsewhere_it_says_what_to_install_by_hand(other):
    with pytest.raises(DistributionUnknown, match=r"Compose 2\.20 or later by hand \(https://docs\.docker\.com"):
        plan_setup(replace(FRESH, **other), WISH)


def test_elsewhere_an_engine_that_somebody_installed_is_taken():
    assert plan_setup(replace(READY, distribution="fedora", version="41"), WISH).steps == ()


def test_compose_comes_from_where_the_engine_came_from():
    of_docker = replace(READY, compose="", packages=frozenset({"docker-ce"}), version="12", codename="bookworm")
    assert "docker-compose-plugin from docker.com" in sentence(of_docker, "Compose")
    for packages, release in ((frozenset(), "13"), (frozenset({"docker.io"}), "12")):
        with pytest.raises(SetupRefused, match="no package fits beside that engine"):
            plan_setup(replace(READY, compose="1.29.2", packages=packages, version=release), WISH)
    with pytest.raises(SetupRefused, match=r"Engine is 19\.3\.1"):
        plan_setup(replace(READY, engine="19.3.1"), WISH)


def test_log_limits_are_merged_and_what_somebody_set_stays():
    other = replace(READY, daemon='{"registry-mirrors": ["https://m.example.com"], "log-opts": {"tag": "x"}}')
    (step,) = plan_setup(other, WISH).steps
    for kept in ('"https://m.example.com"', '"tag": "x"', '"max-size": "10m"', '"max-file": "3"'):
        assert kept in step.script
    for text, told in (
        ('{"log-opts": {"max-size": "1g"}}', "limited to 1g already"),
        ('{"log-driver": "journald"}', "log-driver is journald"),
        ("{", "cannot be read"),
        ("[1]", "cannot be read"),
        ('{"log-opts": 3}', "cannot be read"),
    ):
        plan = plan_setup(replace(READY, daemon=text), WISH)
        assert (plan.steps, told in " ".join(plan.left)) == ((), True), text
    assert plan_setup(replace(READY, daemon=None), replace(WISH, log_limit="none")) == SetupPlan()


def test_an_engine_is_started_again_only_after_saying_what_stops_with_it():
    busy = replace(READY, daemon=None, daemon_hash="", containers=("shop-api-1", "shop-db-1"))
    plan = plan_setup(busy, WISH)
    assert (plan.steps, "--log-limit 10m" in plan.left[0]) == ((), True)
    asked = replace(WISH, log_limit="20m")
    assert "stops meanwhile: shop-api-1, shop-db-1" in sentence(busy, "log limits", asked)
    many = replace(busy, containers=tuple(f"c{n}" for n in range(8)))
    assert sentence(many, "log limits", asked).endswith("c0, c1, c2, c3, c4 and 3 more")


def test_swap_is_made_only_when_asked_and_where_there_is_room():
    wish = replace(WISH, swap="2G")
    assert names(plan_setup(READY, wish)) == ["swap"]
    plan = plan_setup(replace(READY, swap=True), wish)
    assert (plan.steps, plan.left) == ((), ("there is swap already; it stays as it is",))
    for free in (None, 2 * 1024**3):
        with pytest.raises(SetupRefused, match="--swap none"):
            plan_setup(replace(READY, free=free), wish)


@pytest.mark.parametrize(
    ("less", "words"),
    [
        ({"rights": "none"}, "NOPASSWD"),
        ({"user": 0}, "is root there"),
        ({"directory": DirectoryState("symbolic link", "root", 0o777)}, "is a symbolic link"),
        ({"directory": DirectoryState("directory", "root", 0o755, empty=False)}, "is root's there, and not empty"),
    ],
)
def test_what_must_not_be_touched_is_refused(less, words):
    with pytest.raises(SetupRefused, match=words):
        plan_setup(replace(READY, **less), WISH)


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": "root"}, {"user": "a b"}, {"user": "-x"}, {"user": "x" * 40}, {"directory": "/opt"},
        {"directory": "/opt/../etc"}, {"directory": "opt/x"}, {"swap": "2"}, {"swap": "0G"}, {"log_limit": "10"},
        {"log_limit": "10m; reboot"},
    ],
)  # fmt: skip
def test_a_wish_that_means_nothing_is_refused_before_a_connection(wrong):
    with pytest.raises(SetupRefused, match=r"--(deploy-user|directory|swap|log-limit) "):
        replace(WISH, **wrong)


def test_half_an_answer_is_a_known_error():
    with pytest.raises(UnreadableAnswer):
        read_setup_facts("\n@@slipway:directory\nroot\n")
    assert read_setup_facts("").rights == "none"
