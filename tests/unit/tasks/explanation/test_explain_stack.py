"""What becomes of the compose files of a checkout, as real Compose reads them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.core.errors import BrokenStack, MissingEnvironmentFile, StackNotFound
from flows.core.explanation.explanation import Explanation
from flows.settings import Settings
from flows.tasks.explanation.explain_stack import explain_stack
from tests import CHECKOUT
from tests.support.stack.compose_client import needs_compose, write_files

pytestmark = [pytest.mark.unit, needs_compose]

SECRET = "a-value-nobody-may-see-4711"
SHOP = {
    "compose.yaml": """
        name: ${COMPOSE_PROJECT_NAME:-shop}
        include: [db/compose.yaml]
        services:
          web:
            image: "shop/web:${VERSION:-1}"
            build: {context: ./web, args: {COMMIT: "1234e56"}}
            restart: unless-stopped
            environment: {KEY: "${KEY}", MODE: "${MODE:-prod}", TOKEN: }
            env_file: [web.env]
            volumes: ["${CONF:-./conf}:/conf:ro", "./data:/data", "/srv/media:/media:ro"]
            secrets: [key, token]
            ports: ["8080:80"]
            x-slipway: {health: /up}
          tool: {image: "tool:${TOOL}", profiles: [tools]}
          beat: {image: shop/beat, profiles: [beat]}
        secrets: {key: {environment: KEY}, token: {file: ./token}}
    """,
    "db/compose.yaml": 'services: {db: {image: "postgres:${PG}", volumes: ["rows:/rows"]}}\nvolumes: {rows: {}}',
    "db/.env": "PG=16",
    ".env": f"KEY={SECRET}\nCOMPOSE_PROFILES=beat\nCOMPOSE_IGNORE_ORPHANS=1\n",
    "web.env": f"PASSWORD={SECRET}\n",
    "token": SECRET,
    "conf/app.conf": "a=1\n",
    "web/Dockerfile": "FROM scratch\n",
}


def explained(directory: Path, files: dict[str, str], env_file: Path | None = None) -> Explanation:
    return explain_stack(str(write_files(directory, files)), env_file, Settings())


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Explanation:
    return explained(tmp_path_factory.mktemp("shop"), SHOP)


def test_a_stack_that_a_release_takes_is_accepted(shop):
    assert (shop.accepted, shop.refusals) == (True, ())
    assert (shop.stack, shop.named_by) == ("shop", "`name:` in compose.yaml")
    assert shop.compose_files == ("compose.yaml", "db/compose.yaml")


def test_services_are_those_of_the_profiles_that_are_switched_on(shop):
    assert [one.name for one in shop.services] == ["beat", "db", "web"]
    assert [(one.subject, one.text) for one in shop.switched_off] == [("tools", "tool")]
    beat, db, web = shop.services
    assert beat.profiles == ("beat, by COMPOSE_PROFILES in .env",)
    assert (db.image, db.variables) == ("postgres:${PG}", ("PG",))
    assert (web.published_as, web.environment_files) == ("REGISTRY/web:TAG", ("web.env",))
    assert "conf" in web.files
    assert web.probes == ("GET /up on port 80",)


def test_variables_say_where_their_values_come_from(shop):
    found = {one.name: (one.origin, one.source) for one in shop.variables}
    assert found["KEY"] == ("env file", ".env")
    assert found["PG"] == ("include", "db/.env")
    assert found["MODE"][0] == found["CONF"][0] == "default"
    assert found["TOOL"][0] == found["TOKEN"][0] == "nobody"
    assert {one.subject for one in shop.steering} == {"COMPOSE_PROFILES", "COMPOSE_IGNORE_ORPHANS"}


def test_mounts_say_what_becomes_of_them(shop):
    found = {one.source: (one.fate, one.files) for one in shop.mounts}
    assert found == {"conf": ("ships", 1), "data": ("shared", 0), "/srv/media": ("droplet", 0), "rows": ("volume", 0)}


def test_no_value_is_in_it(shop):
    assert SECRET not in json.dumps(shop.as_json())


def test_everything_that_is_refused_is_listed_and_the_rest_is_told(tmp_path):
    files = {
        "compose.yaml": """
            services:
              web:
                image: "web:${TAG_OF_WEB:?must be there}"
                build: ./web
                command: [uvicorn, app, --reload]
                env_file: [absent.env]
                environment: {A: "$A"}
                volumes: [".:/app", "./absent:/x:ro"]
                x-slipway: {helth: /up}
              api: {image: api, x-slipway: {health: /up}}
        """,
        "web/main.py": "",
    }
    found = explained(tmp_path, files)
    kinds = [one.error for one in found.refusals]
    assert kinds == [
        "UnsetVariables", "BadExtension", "BadExtension", "BrokenStack", "DevelopmentOnly", "BrokenStack",
        "MissingEnvironmentFile",
    ]  # fmt: skip
    assert "A, TAG_OF_WEB" in found.refusals[0].message
    assert [one.name for one in found.services] == ["api", "web"]
    assert {one.source: one.fate for one in found.mounts} == {".": "refused", "absent": "ships"}


def test_what_compose_cannot_read_is_said_and_nothing_else(tmp_path):
    found = explained(tmp_path, {"compose.yaml": "services: {web: {image: x, imagine: y}}"})
    [refusal] = found.refusals
    assert (refusal.error, found.services) == ("BrokenStack", ())
    assert "imagine" in refusal.message


def test_a_value_in_a_complaint_of_compose_is_masked(tmp_path):
    files = {"compose.yaml": "services: {web: {image: x, ports: ['${PORT}:80']}}", ".env": f"PORT={SECRET}"}
    found = explained(tmp_path, files)
    assert found.refusals
    assert SECRET not in json.dumps(found.as_json())


def test_the_variables_may_stand_in_another_file(tmp_path):
    files = {"compose.yaml": "services: {web: {image: 'x:$V'}}", ".env.example": "V=1\n"}
    without = explained(tmp_path, files)
    assert not without.accepted
    assert any("--env-file" in hint and ".env.example" in hint for hint in without.hints)
    given = explained(tmp_path, files, tmp_path / ".env.example")
    assert given.accepted
    assert [(one.origin, one.source) for one in given.variables] == [("env file", ".env.example")]


def test_an_override_file_is_not_read_and_that_is_told(tmp_path):
    files = {"compose.yaml": "services: {web: {image: x}}", "compose.override.yaml": "services: {more: {image: y}}"}
    found = explained(tmp_path, files)
    assert [one.name for one in found.services] == ["web"]
    assert "compose.override.yaml" in {one.subject for one in found.differences}


def test_what_is_not_there_is_an_error(tmp_path):
    with pytest.raises(StackNotFound):
        explain_stack(str(tmp_path / "absent"), None, Settings())
    with pytest.raises(MissingEnvironmentFile):
        explain_stack(str(tmp_path), tmp_path / "absent.env", Settings())


def test_a_host_without_compose_is_told_what_is_missing(tmp_path):
    write_files(tmp_path, {"compose.yaml": "services: {web: {image: x}}"})
    with pytest.raises(BrokenStack, match="docker client and its Compose plugin"):
        explain_stack(str(tmp_path), None, Settings(docker=str(tmp_path / "no-docker")))


def test_the_sample_is_accepted_and_explained_without_anything_heavy():
    code = (
        "import sys; from flows.settings import Settings\n"
        "from flows.tasks.explanation.explain_stack import explain_stack\n"
        "found = explain_stack('compose/docker-compose.yml', None, Settings())\n"
        "heavy = {'prefect', 'paramiko', 'httpx', 'blocks.ssh'} & set(sys.modules)\n"
        "print(found.accepted, len(found.services), sorted(heavy))"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert said.stdout.split("\n")[0] == "True 9 []"


def test_what_two_colours_on_one_droplet_would_both_take_is_refused_as_by_a_release(tmp_path):
    files = {"compose.yaml": 'services: {web: {image: "web:1", ports: ["8080:80"]}}'}
    stack = str(write_files(tmp_path, files))
    assert explain_stack(stack, None, Settings()).accepted
    (refusal,) = explain_stack(stack, None, Settings(one_droplet="prod")).refusals
    assert refusal.error == "NotSideBySide"
    assert "publishes port 8080 of the droplet for web" in refusal.message
