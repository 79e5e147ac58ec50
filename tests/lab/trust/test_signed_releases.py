"""Only what we signed is put on a droplet; what somebody else does to the registry is refused, with nothing changed.

The judge is cosign itself: it verifies what we sign, and signs what we refuse.
"""

import json
import re

import pytest

from tests.lab.trust.signed_stack import STACK, delete, forge, open_signed_stack, signature_tag, swapped

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """Release `one` was deployed before there was a key, `two` and `three` since; all are published."""
    with open_signed_stack(tmp_path_factory.mktemp(STACK)) as stack:
        said = stack.publish("one")
        assert said.code == 0, said.all
        deployed = stack.deploy("one")
        assert deployed.code == 0, deployed.all
        assert "no key is trusted" in deployed.all
        stack.slipway_ok("validate", *stack.here)
        stack.slipway_ok("keys", "generate")
        for tag in ("two", "three"):
            said = stack.publish(tag, web=f"web {tag}")
            assert said.code == 0, said.all
        said = stack.deploy("two")
        assert said.code == 0, said.all
        stack.slipway_ok("validate", *stack.here)
        yield stack


@pytest.fixture
def unchanged(stack):
    """Whatever the test does, the droplet is as it was."""
    before = stack.droplet.state()
    yield
    assert stack.droplet.state() == before


@pytest.fixture
def public_key(stack, tmp_path):
    shown = stack.slipway_ok("keys", "show").out
    file = tmp_path / "cosign.pub"
    file.write_text(re.search(r"-----BEGIN.*?END PUBLIC KEY-----", shown, re.DOTALL)[0] + "\n")
    return str(file)


@pytest.fixture
def stranger(stack, tmp_path):
    """Signs with a key that nobody trusts."""
    made = stack.cosign("generate-key-pair", "--output-key-prefix", str(tmp_path / "stranger"), COSIGN_PASSWORD="x")
    assert made.returncode == 0, made.stderr

    def sign(reference: str, *annotations: str) -> None:
        said = [word for annotation in annotations for word in ("-a", annotation)]
        done = stack.cosign(
            "sign", "--yes", "--tlog-upload=false", "--key", str(tmp_path / "stranger.key"), *said, reference,
            COSIGN_PASSWORD="x",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    return sign


def test_cosign_itself_verifies_every_image_and_the_release(stack, public_key):
    release = json.loads((stack.place / f"reports/push-docr-metadata-{STACK}-three.json").read_text())
    wanted = {
        "web": ["dev.slipway.service=web", "dev.slipway.release=three"],
        "worker": ["dev.slipway.service=worker", "dev.slipway.release=two"],  # it has not changed since
        "release": ["dev.slipway.release=three", f"dev.slipway.stack={STACK}"],
    }
    for name, annotations in wanted.items():
        said = [word for annotation in annotations for word in ("-a", annotation)]
        done = stack.cosign(
            "verify", "--private-infrastructure", "--key", public_key, *said, stack.reference(name, "three")
        )
        assert done.returncode == 0, done.stderr
    assert stack.reference("release", "three").endswith(release["digest"])


@pytest.mark.parametrize("kind", ["cyclonedx", "slsaprovenance1"])
def test_cosign_itself_verifies_what_is_attested(stack, public_key, kind):
    reference = stack.reference("web", "three")
    done = stack.cosign(
        "verify-attestation", "--private-infrastructure", "--key", public_key, "--type", kind, reference
    )
    assert done.returncode == 0, done.stderr


def test_a_container_says_where_it_is_from(stack):
    container = stack.droplet.containers()["web"]["Name"].lstrip("/")
    said = stack.slipway_ok("provenance", container, *stack.here, "--droplet", stack.block, "--json")
    [origin] = json.loads(said.out)
    assert (origin["digest"], origin["running"][0]["tag"]) == (stack.digest("web", "two"), "two")
    assert origin["provenance"]["parameters"]["service"] == "web"
    assert {"apt", "bash"} <= {package["name"] for package in origin["packages"]}


def test_what_has_not_changed_is_not_signed_again(stack):
    with stack.registry.block.client() as client:
        tag = stack.digest("worker", "three").replace(":", "-") + ".sig"
        assert len(client.manifest(stack.path("worker"), tag).content["layers"]) == 1


def test_the_record_says_by_which_key_it_was_proved(stack):
    record = json.loads(stack.droplet.sh(f"cat {stack.droplet.home}/history/000002.json"))
    shown = stack.slipway_ok("keys", "show", "--wide").out
    assert record["verified"]["key"] in shown
    assert record["verified"]["digest"] == stack.digest("release", "two")
    assert "verified" not in json.loads(stack.droplet.sh(f"cat {stack.droplet.home}/history/000001.json"))


@pytest.mark.usefixtures("unchanged")
def test_a_release_of_before_the_key_is_refused_now(stack):
    said = stack.deploy("one")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "SignedAsAnother")
    assert "published without a signing key" in said.err


@pytest.fixture
def published(stack):
    """Gives every tag back what it meant, and takes away what was added."""
    names = ("web", "worker", "release")
    meant = {(name, tag): stack.digest(name, tag) for name in names for tag in ("two", "three")}
    meant["release", "latest"] = stack.digest("release", "latest")
    yield meant
    for (name, tag), digest in meant.items():
        stack.move(name, digest, tag)


@pytest.mark.usefixtures("unchanged", "published")
def test_a_tag_that_was_moved_to_another_signed_release_is_refused(stack):
    stack.move("release", "two", "three")
    said = stack.deploy("three")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "BadRelease")
    assert "has release two of stack signed-app where release three" in said.err


@pytest.mark.usefixtures("unchanged", "published")
def test_a_release_document_whose_images_were_exchanged_is_refused(stack):
    forge(stack, "three", lambda document: {**document, "services": swapped(document["services"])})
    said = stack.deploy("three")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "Unsigned")
    assert "release three of signed-app is not signed" in said.err


@pytest.mark.usefixtures("unchanged", "published")
def test_a_forged_release_that_is_signed_with_another_key_is_refused(stack, stranger):
    forge(stack, "three", lambda document: {**document, "commit": "f00d"})
    stranger(stack.reference("release", "three"), f"dev.slipway.stack={STACK}", "dev.slipway.release=three")
    said = stack.deploy("three")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "SignedByAnother")
    assert "not with a key that is trusted" in said.err


@pytest.mark.usefixtures("unchanged", "published")
def test_a_signature_that_was_moved_to_another_release_is_refused(stack):
    before = signature_tag(stack.digest("release", "three"))
    forge(stack, "three", lambda document: {**document, "commit": "f00d"})
    stack.move("release", before, signature_tag(stack.digest("release", "three")))
    said = stack.deploy("three")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "SignatureMoved")
    assert "has the signature of something else beside it" in said.err


@pytest.mark.usefixtures("published")
def test_an_older_release_of_the_same_tag_is_a_replay(stack):
    first = stack.digest("release", "two")
    said = stack.publish("two", web="web two, mended")
    assert said.code == 0, said.all
    assert stack.deploy("two").code == 0
    before = stack.droplet.state()
    stack.move("release", first, "two")
    said = stack.deploy("two")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "ReleaseReplayed")
    assert f"--digest {first}" in said.err
    assert stack.droplet.state() == before


@pytest.mark.usefixtures("unchanged")
def test_an_image_without_its_signature_is_refused(stack):
    tag = signature_tag(stack.digest("web", "three"))
    with stack.registry.block.client() as client:
        signature = client.manifest(stack.path("web"), tag)
        delete(stack, "web", signature.digest)
        said = stack.deploy("three")
        assert (said.code, said.errors[0].partition(":")[0]) == (2, "Unsigned")
        assert "the image of service web" in said.err
        client.tag(stack.path("web"), signature, tag)


@pytest.mark.usefixtures("unchanged")
def test_with_the_key_of_another_nothing_is_deployed(stack, tmp_path):
    other = f"{STACK}-other"
    made = stack.cosign("generate-key-pair", "--output-key-prefix", str(tmp_path / "o"), COSIGN_PASSWORD="x")
    assert made.returncode == 0
    stack.slipway_ok("keys", "trust", str(tmp_path / "o.pub"), SLIPWAY_TRUSTED=other, SLIPWAY_SIGNING="")
    said = stack.deploy("three", SLIPWAY_TRUSTED=other)
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "SignedByAnother")
    from blocks import TrustedKeys  # noqa: PLC0415 — after the environment is set

    TrustedKeys.delete(other)


def test_kept_images_of_a_release_that_only_poses_as_the_newest_are_refused(stack, published):
    stack.move("release", "two", "latest")
    (stack.source / "web/version").write_text("web four")
    said = stack.publish("four", SLIPWAY_REPORTS=str(stack.place / "four"))
    assert said.code == 0, said.all  # all is built: nothing of the older one is kept
    stack.move("release", "two", "latest")
    said = stack.slipway("build-push", "--stack", str(stack.source), "--tag", "five", "--services", "web")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "ReleaseReplayed")
    assert "was published later" in said.err
    del published


def test_while_a_key_is_replaced_both_verify_and_afterwards_one(stack):
    stack.slipway_ok("keys", "rotate")
    said = stack.publish("six", web="web six")
    assert said.code == 0, said.all
    for tag in ("three", "six"):
        said = stack.deploy(tag)
        assert said.code == 0, said.all
    old = re.findall(r"SHA256:[\w+/]+", stack.slipway_ok("keys", "show", "--wide").out)[0]
    stack.slipway_ok("keys", "trust", "--remove", old)
    said = stack.deploy("three")
    assert (said.code, said.errors[0].partition(":")[0]) == (2, "SignedByAnother")
    assert stack.deploy("six").code == 0


def test_a_rollback_needs_no_registry_and_refuses_what_was_changed_on_the_droplet(stack):
    stack.slipway_ok("validate", *stack.here)
    said = stack.publish("seven", web="web seven")
    assert said.code == 0, said.all
    assert stack.deploy("seven").code == 0
    stack.slipway_ok("validate", *stack.here)
    away = {"SLIPWAY_REGISTRY": "no-such-block"}
    said = stack.slipway("rollback", *stack.here, "--to", "six", **away)
    assert said.code == 0, said.all
    stack.droplet.sh(f'sed -i \'s/"commit"/ "commit"/\' {stack.droplet.home}/releases/two.*/release.json')
    said = stack.slipway("rollback", *stack.here, "--to", "two", **away)
    assert said.code == 2
    assert "is not the one that was verified" in said.err
