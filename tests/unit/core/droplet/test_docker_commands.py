"""The commands Slipway runs, word for word."""

import pytest

from flows.core.droplet import docker_commands as compose
from flows.core.droplet.docker_commands import Compose

pytestmark = pytest.mark.unit

SHOP = Compose("shop", ("/r/a.yml", "/r/b.yml"), ("metrics",), "/r/environment", "/usr/bin/docker")
SHOP_WORDS = (
    "/usr/bin/docker compose --project-name shop --file /r/a.yml --file /r/b.yml --profile metrics "
    "--env-file /r/environment"
)


@pytest.mark.parametrize(
    "said",
    [
        'failed to read /a.env: line 3: unexpected character "=" in variable name "s3cr3t==\\nNEXT=s3cr3t"',
        "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `s3cr3t=...` into map[string]interface {}",
        'invalid interpolation format for x.\nInvalid template: "${s3cr3t"',
    ],
)
def test_a_complaint_repeats_nothing_of_a_file(said):
    told = compose.complaint(said)
    assert "not shown" in told
    assert "s3cr3t" not in told


COMMANDS = {
    "config": (Compose("", ("a.yml",)).config(), "docker compose --file a.yml config"),
    "config as JSON": (Compose("", ("a.yml",)).json_config(), "docker compose --file a.yml config --format json"),
    "raw config": (Compose("", ("a.yml",)).raw_config(), "docker compose --file a.yml config --no-interpolate"),
    "build": (SHOP.build(), f"{SHOP_WORDS} --progress plain build"),
    "build some": (SHOP.build("web", "api"), f"{SHOP_WORDS} --progress plain build web api"),
    "up": (SHOP.up(), f"{SHOP_WORDS} up --detach --no-build --pull never --remove-orphans --quiet-pull"),
    "up, everything anew": (
        SHOP.up(anew=True),
        f"{SHOP_WORDS} up --detach --no-build --pull never --remove-orphans --quiet-pull --force-recreate",
    ),
    "wake": (
        SHOP.wake(["db", "web"]),
        f"{SHOP_WORDS} up --detach --no-build --pull never --no-recreate --no-deps --quiet-pull db web",
    ),
    "stop all": (SHOP.stop(), f"{SHOP_WORDS} stop"),
    "down": (SHOP.down(), f"{SHOP_WORDS} down --remove-orphans"),
    "any other": (SHOP("logs", "web"), f"{SHOP_WORDS} logs web"),
    "containers of a project": (
        compose.project_containers("shop"),
        "docker ps --all --quiet --no-trunc --filter label=com.docker.compose.project=shop",
    ),
    "stop": (compose.stop(["id1", "id2"]), "docker stop id1 id2"),
    "remove": (compose.remove(["id1", "id2"]), "docker rm --force id1 id2"),
    "push": (compose.push("host/web:1"), "docker push --quiet host/web:1"),
    "login": (compose.login("host", "me"), "docker login --username me --password-stdin host"),
    "inspect images": (compose.inspect_images(["a", "b"]), "docker image inspect a b"),
    "copy an image": (compose.copy_image("a@b", "c:d"), "docker buildx imagetools create --tag c:d a@b"),
    "ask for a manifest": (
        compose.remote_manifest("a:1"),
        "docker buildx imagetools inspect --format {{json .Manifest}} a:1",
    ),
    "prune dangling images": (
        compose.prune_dangling("shop"),
        "docker image prune --force --filter label=com.docker.compose.project=shop",
    ),
    "prune builder cache": (compose.prune_builder("10GB"), "docker builder prune --force --keep-storage 10GB"),
}


@pytest.mark.parametrize(("argv", "words"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_is_these_words(argv, words):
    assert " ".join(argv) == words


def test_a_word_with_spaces_stays_one_word():
    assert "{{json .Manifest}}" in compose.remote_manifest("a:1")
    assert Compose("", ("my stack/a.yml",)).config()[3] == "my stack/a.yml"


@pytest.mark.parametrize("forbidden", ["--volumes", "-v", "system", "--all-tags", "--rmi"])
def test_no_command_can_remove_a_volume_or_what_is_not_ours(forbidden):
    assert not [words for argv, words in COMMANDS.values() if forbidden in argv]
