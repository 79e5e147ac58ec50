"""The bundle: what its files and its Markdown hold, that it fits, and that what is secret stands nowhere in it."""

import io
import json
import tarfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.core.debug.bundle import LARGEST_TEXT, DebugBundle, DebugResult, bundle_archive, shorten_to_fit
from flows.core.debug.diagnosis import Diagnosis, HealthResponse
from flows.core.debug.evidence import ContainerUsage, EngineEvent, Evidence, HostEvidence, PythonPackages
from flows.core.debug.overview import StackOverview
from flows.core.debug.redaction import redact, redaction_mask, secret_paths
from flows.core.droplet.directories import StackDirectory
from flows.core.secrets.masking import MASKED
from flows.core.stack.files.shipped_files import EnvironmentFile
from flows.core.trust.packages.package import Package, PackageKind
from tests.support.builders import NOW, container, release

pytestmark = pytest.mark.unit

ID, HOME = "id-web", StackDirectory("/opt/slipway", "shop")
SECRETS = {"BLOCK": "block-4711", "FILE": "in-a-file-4711", "MOUNTED": "mounted-4711", "API_KEY": "by-name-4711",
           "URL": "in-a-url-4711", "OPTION": "option-4711"}  # fmt: skip
INSPECTED = {
    "Id": ID,
    "State": {"Health": {"Log": [{"Output": f"bad {SECRETS['BLOCK']}"}]}},
    "Mounts": [{"Source": "/srv/token", "Destination": "/run/secrets/token"}, {"Source": "/d", "Destination": "/data"}],
    "Config": {
        "Env": [f"API_KEY={SECRETS['API_KEY']}", f"DB=redis://u:{SECRETS['URL']}@db/0", "MODE=quiet", "EMPTY_TOKEN="],
        "Labels": {"com.docker.compose.service": "web", "auth.users": "admin:$apr1$x"},
        "Cmd": ["serve", "--api-key", SECRETS["OPTION"]],
    },
}
RELEASE = release(environment_files=(EnvironmentFile(path="deploy/app.env"),), compose_files=("deploy/compose.yml",))
SURVEY = StackOverview(
    "shop", "droplet green", (container(last_words=f"bad {SECRETS['BLOCK']}"),), {ID: INSPECTED}, release=RELEASE,
    records=f'{{"reason": "{SECRETS["BLOCK"]}"}}',
)  # fmt: skip
FILES = (
    "A='block-4711'\nREGISTRY='registry.example.com/team'\nIMAGE_TAG='v1-release'\n",
    f"X={SECRETS['FILE']}\n",
    SECRETS["MOUNTED"],
)
FOUND = Evidence(
    logs={ID: "2026-05-04T12:00:00Z v1-release says " + " ".join(SECRETS.values())},
    pythons={ID: PythonPackages("3.12", ("httpx==0.28.1",))},
    system={ID: (Package(PackageKind.DEB, "bash", "5.2"),)},
    usage={ID: ContainerUsage(50 << 20, 100 << 20, 3, 1.5)},
    events=(EngineEvent(NOW.timestamp(), "die", "web", "137"), EngineEvent(0, "die", "other")),
    host=HostEvidence({"load": f"0.1 {SECRETS['BLOCK']}"}),
    secrets=FILES,
)


def bundle(overview: StackOverview = SURVEY, evidence: Evidence = FOUND) -> DebugBundle:
    mask = redaction_mask(overview, secret_paths(overview, HOME), evidence, frozenset())
    hidden, found = redact(overview, evidence, mask)
    answers = {"web": HealthResponse("/health", 503, "503: busy", 0.02)}
    return DebugBundle(hidden, found, ("web",), answers, (Diagnosis("web", ("it | fails",)), Diagnosis("host")), "now")


def test_every_file_that_may_hold_secrets_is_asked_for():
    current = "/opt/slipway/shop/current"
    assert secret_paths(SURVEY, HOME) == [f"{current}/environment", f"{current}/files/deploy/app.env", "/srv/token"]
    labels = (("com.docker.compose.project.working_dir", "/src"),)
    local = StackOverview("shop", "this host", (container(labels=labels),), {ID: INSPECTED})
    assert secret_paths(local, None) == ["/srv/token", "/src/.env"]


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_no_secret_stands_in_the_bundle_whether_it_is_of(secret: str):
    files = bundle().files()
    assert [name for name, data in files.items() if secret.encode() in data] == []
    assert MASKED in files["web/logs.txt"].decode()


def test_the_words_of_a_healthcheck_are_masked_before_they_are_read():
    assert bundle().overview.containers[0].last_words == f"bad {MASKED}"


def test_a_bundle_is_no_larger_than_five_megabytes():
    large = Evidence(logs={ID: "é" * 4_000_000}, host=FOUND.host)
    assert sum(map(len, bundle(evidence=large).files().values())) <= 5_000_000


def test_what_everybody_sees_stays_readable():
    files = {name: data.decode() for name, data in bundle().files().items()}
    assert "v1-release says" in files["web/logs.txt"]
    assert "registry.example.com/team/web@sha256" in files["README.md"]
    assert files["web/environment.txt"] == f"API_KEY={MASKED}\nDB=redis://u:{MASKED}@db/0\nEMPTY_TOKEN=\nMODE=quiet\n"


def test_a_bundle_has_a_directory_for_each_service():
    files = bundle().files()
    names = ("inspect.json", "environment.txt", "logs.txt", "packages.txt", "usage.json", "health.json", "events.txt")
    assert list(files) == ["README.md", "host.txt", "records.txt", *(f"web/{name}" for name in names)]
    assert files["web/packages.txt"] == b"# Python 3.12\nhttpx==0.28.1\n# deb\nbash 5.2\n"
    assert files["web/events.txt"] == b"2026-05-04T12:00:00.000+00:00 die 137\n"
    assert json.loads(files["web/usage.json"])["of_limit"] == 0.5
    assert json.loads(files["web/health.json"])["get"]["status"] == 503
    assert json.loads(files["web/inspect.json"])["Config"]["Labels"]["auth.users"] == MASKED


def test_of_several_containers_each_has_its_files():
    two = (container(name="shop-web-1"), container(name="shop-web-2", id="2"))
    overview = StackOverview("shop", "here", two, {ID: INSPECTED, "2": INSPECTED})
    assert {"web/logs-shop-web-1.txt", "web/logs-shop-web-2.txt", "web/health.json"} <= set(bundle(overview).files())


def test_the_markdown_shows_the_reading_first_then_a_table_then_the_last_lines():
    text = bundle(evidence=Evidence(logs={ID: "a\n```\nb"})).markdown()
    places = [text.index(words) for words in ("**web**\n- it | fails", "**host**\n- nothing wrong", "| web |", "````")]
    assert places == sorted(places)
    assert "| web | running | none | 0 | 503: busy (0.02 s) |" in text
    assert text.endswith("````\na\n```\nb\n````\n")


def test_the_markdown_is_no_longer_than_an_artifact_may_be():
    many = tuple(container(f"s{n}", id=str(n), image=f"i{n}") for n in range(40))
    overview = StackOverview("shop", "here", many, {one.id: INSPECTED for one in many})
    logs = {one.id: ("x" * 900 + "\n") * 50 for one in many}
    text = DebugBundle(overview, Evidence(logs=logs), tuple(c.service for c in many), {}, (), "now").markdown()
    assert len(text.encode()) < 200_000
    assert len(text) > LARGEST_TEXT / 2
    assert text.endswith("There is more in the archive.\n")


@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=400)), st.integers(0, 1500))
def test_files_fit_and_only_the_longest_are_shortened(files: dict, largest: int):
    fitted = shorten_to_fit(files, largest)
    assert sum(map(len, fitted.values())) <= max(largest, 0)
    assert all(files[name].endswith(data) for name, data in fitted.items())
    cut = [len(data) for name, data in fitted.items() if data != files[name]]
    assert len(set(cut)) <= 1
    assert all(len(data) <= cut[0] for data in fitted.values() if cut)


def test_an_archive_is_for_its_owner_alone():
    with tarfile.open(fileobj=io.BytesIO(bundle_archive({"a/b": b"text"}, "shop-green", 17.5))) as tar:
        assert [(m.name, m.mode, m.mtime) for m in tar] == [("shop-green/a/b", 0o600, 17)]


def test_a_result_names_the_services_that_were_looked_at():
    assert DebugResult("shop", "here", (Diagnosis("web"), Diagnosis("host"))).services == ("web",)
    assert DebugResult("shop", "here").services == ()


@pytest.mark.parametrize("name", ["x/../../tmp/evil", "/etc/cron.d/x", "..", "a\nb", "x" * 5000])
def test_no_name_of_a_container_or_a_service_leads_out_of_the_bundle(name: str):
    two = (container(name, id="1", name=name), container(name, id="2", name=f"{name}-2"))
    found = DebugBundle(StackOverview("shop", "droplet green", two), Evidence(), (name,), {}, (), "now").files()
    assert len(found) > 5
    for path in found:
        first, _, rest = path.partition("/")
        assert "/" not in rest
        assert not {first, rest} & {"..", "."}
        assert len(path) < 300


def test_what_services_say_is_no_markdown_in_the_page_and_no_control_in_any_file():
    hostile = "[All gates passed](http://x) <img src=x>\x1b]52;c;eA==\x07\u202e"
    overview = replace(SURVEY, containers=(container(image=hostile, last_words=hostile),), trouble=hostile)
    found = replace(FOUND, logs={ID: hostile})
    made = DebugBundle(overview, found, ("web",), {}, (Diagnosis("web", (hostile,)), Diagnosis("host")), "now")
    page = made.markdown()
    assert "- `[All gates passed](http://x) <img src=x>" in page
    assert "| `[All gates passed](http://x) <img src=x>" in page
    for text in (page, *(content.decode() for content in made.files().values())):
        assert not set(text) & set("\x1b\x07\u202e")
