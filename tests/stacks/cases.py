"""Stacks that are not ours, which lie beside the checkout: each with what is changed for its second release."""

from pathlib import Path

from tests import CHECKOUT
from tests.support.judge.stack import Change, JudgedStack, Prepare, added, new_image, replaced
from tests.support.lab.registry_namespace import RegistryNamespace

CASES = CHECKOUT.parent / "shared" / "cases"


def _written(path: str, content: bytes) -> Change:
    def change(checkout: Path) -> None:
        (checkout / path).write_bytes(content)

    return change


def _moved_link(checkout: Path) -> None:
    (checkout / "conf" / "v3").mkdir()
    (checkout / "conf" / "v3" / "app.conf").write_text("three\n")
    (checkout / "conf" / "current").unlink()
    (checkout / "conf" / "current").symlink_to("v3")


def _both(prepare: Change) -> Prepare:
    def prepared(checkout: Path, registry: RegistryNamespace) -> None:
        prepare(checkout)

    return prepared


def _case(folder: str, project: str, change: Change | None, *concerns: str, **more: object) -> JudgedStack:
    return JudgedStack(project, CASES / folder, change, concerns, name=folder, **more)  # type: ignore[arg-type]


_HOST = _both(replaced("compose.yaml", "x-slipway: {", "x-slipway: {host: shop.example.com, "))
_APP = new_image("app/Dockerfile")
_ABSOLUTE = 'echo "K=droplet-$ROUND" >/var/tmp/case26m.env'

STACKS = (
    _case("01-underscore-name", "case01_m", replaced(".env", "hello", "good day")),
    _case("02-codechef-mounted-env-dir", "case02m", replaced("conf/app.yaml", "red", "blue"), "app"),
    _case("03-n8n-import-from-directory", "case03m", added("initdata/two.txt", "second\n"), "app"),
    _case("04-sentry-project-name-in-env", "case04m", replaced(".env", "hello", "good day")),
    _case("05-inline-config-and-env-secret", "case05m", replaced("compose.yaml", "greeting one", "greeting two"),
          "app"),
    _case("06-cadvisor-rootfs-and-caddy-watch", "case06m", _APP),
    _case("06-cadvisor-rootfs-and-caddy-watch-watch", "case06n", added("Caddyfile", "# more\n"), "edge"),
    _case("07-airflow-env-file-by-variable", "case07m", replaced("app.env", "value", "another")),
    _case("08-base-image-of-another-service", "case08m", replaced("base/Dockerfile", "echo v1", "echo v2")),
    _case("09-include-with-its-own-dotenv", "case09m", replaced("db/.env", "production", "staging")),
    _case("10-host-header-of-probes", "case10m", new_image("shop/Dockerfile"), prepare=_HOST),
    _case("11-shell-of-the-droplet-wins", "case11m", replaced(".env", "shop", "store")),
    _case("12-unstract-name-from-a-variable", "case12m", replaced("web.env", "value", "another")),
    _case("12-unstract-name-from-a-variable-unset", "case12u", None, refused="UnsetVariables"),
    _case("13-build-secret-from-the-environment", "case13m", _APP),
    _case("14-temporal-anonymous-volumes", "case14m", new_image("db/Dockerfile"), written={"db:/rows/born": "keeps"}),
    _case("15-mcp-gateway-replicas", "case15m", new_image("gateway/Dockerfile")),
    _case("16-commit-that-looks-like-a-number", "case16m", replaced("compose.yaml", "1234e56", "5e10")),
    _case("17-yaml-that-compose-reads", "case17m", _APP),
    _case("18-secret-files-byte-by-byte", "case18m", _written("license.txt", b"\x00\xffnew\r\n"), "app",
          prepare=_both(_written("license.txt", b"line one\r\nline two\r\nno end\r"))),
    _case("19-dify-profiles-in-env", "case19m", replaced(".env", "store", "")),
    _case("19-dify-profiles-in-env-off", "case19n", new_image("api/Dockerfile")),
    _case("21-network-of-another-service", "case21m", _APP),
    _case("22-named-volume-on-a-relative-device", "case22m", replaced("data/seed.sql", "1", "2"), "db",
          written={"db:/rows/born": "keeps"}),
    _case("23-file-modes", "case23m", added("keyfile", "another\n"), "app",
          prepare=_both(lambda checkout: (checkout / "keyfile").chmod(0o400))),
    _case("24-compose-variables-in-env", "case24m", _APP),
    _case("24-compose-variables-in-env-file", "case24n", replaced("extra.yaml", '"1"', '"2"')),
    _case("25-litellm-config-without-ro", "case25m", replaced("config.yaml", "one", "two"), "app"),
    _case("26-env-file-of-the-droplet", "case26m", _APP, on_droplet=_ABSOLUTE,
          afterwards="rm -f /var/tmp/case26m.env"),
    _case("27-symlinks-in-a-mounted-directory", "case27m", _moved_link, "app",
          prepare=_both(lambda checkout: (checkout / "conf" / "current").symlink_to("v2"))),
    _case("28-old-images-of-the-data-home", "case28m", new_image("store/Dockerfile")),
)  # fmt: skip
