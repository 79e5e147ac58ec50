"""Parsers of what cosign, registries and images say: signatures, attestations, packages; each with a good one."""

import base64
import gzip
import io
import json
import tarfile
from typing import Any

from flows.core.registry.engine_images import read_built, read_known_digests, read_remote_digest
from flows.core.trust.bases import BaseImage, foreign_bases, known_base, logged_digests
from flows.core.trust.cosign import read_verdict
from flows.core.trust.origin import image_origin, read_sbom
from flows.core.trust.packages.databases import (
    read_apk,
    read_dpkg,
    read_node,
    read_os_release,
    read_python_metadata,
)
from flows.core.trust.packages.image import ImageContents, chosen_manifest, configured, image_parts
from flows.core.trust.packages.layer import LayerDatabases, databases_in, dump_layer, load_layer, read_layer
from flows.core.trust.packages.reading import read_packages
from flows.core.trust.provenance import (
    BuildParameters,
    BuildRun,
    BuildSource,
    public_remote,
    read_provenance,
    slsa_predicate,
)
from flows.core.trust.sbom import sbom
from flows.core.trust.signatures import (
    COMMIT,
    PUBLISHED,
    RELEASE,
    SERVICE,
    STACK,
    Claim,
    matching,
    read_payloads,
    signed_as_another,
    signed_before,
)
from flows.tasks.trust.attestation import read_predicate
from tests.support.builders import NOW, digest, pinned
from tests.support.hostile.attacked import Attacked
from tests.support.hostile.changes import in_lines, printed

DIGEST = digest("a")
BUILT = {"Id": digest("b"), "RepoDigests": [pinned("web")], "RootFS": {"Layers": [digest("c")]}, "Size": 1,
         "Os": "linux", "Architecture": "amd64"}  # fmt: skip
SIGNED: dict[str, Any] = {
    "critical": {"image": {"docker-manifest-digest": DIGEST}, "identity": {}, "type": "cosign"},
    "optional": {STACK: "shop", SERVICE: "web", RELEASE: "v1.0", COMMIT: "c" * 40, PUBLISHED: "2026-05-04T12:00:00Z"},
}  # fmt: skip
CLAIM = Claim(pinned("web"), {STACK: "shop", RELEASE: "v1.0"}, "the image")
DPKG = (
    "Package: a\nStatus: install ok installed\nVersion: 1:2-3\nArchitecture: amd64\nSource: b (4)\n words\n\nPackage: c"
)
APK = "C:Q1\nP:a\nV:1-r0\nA:x86_64\nL:MIT\no:b\n\nP:c\nV:2\n"
METADATA = "Metadata-Version: 2.1\nName: a\nVersion: 1\nLicense: UNKNOWN\nClassifier: License :: MIT\n\nName: b"
NODE = {"name": "@a/b", "version": "1.0.0", "license": {"type": "MIT"}, "licenses": [{"type": "MIT"}, "ISC"]}
OS_RELEASE = 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian \\"13\\""\n'
DATABASES = {
    "var/lib/dpkg/status": DPKG, "var/lib/dpkg/status.d/a": DPKG, "lib/apk/db/installed": APK,
    "etc/os-release": OS_RELEASE,
    "app/node_modules/a/package.json": printed(NODE), "a-1.dist-info/METADATA": METADATA, "b-1-py3.egg-info": METADATA,
}  # fmt: skip
PREDICATE = json.loads(slsa_predicate(
    BuildParameters("shop", "v1.0", "web", "main", ("compose.yml",), ("a",), "linux/amd64", ("A",)),
    BuildSource("c" * 40, "https://git.example.com/shop.git", dirty=True),
    [BaseImage("debian:13", digest("d")), BaseImage("b", image_id=digest("e"))],
    BuildRun("https://ci.example.com/1", "2026-05-04T12:00:00Z", "2026-05-04T12:01:00Z", "me@host", "1.0"),
))  # fmt: skip
SBOM = {
    "bomFormat": "CycloneDX",
    "metadata": {"component": {"version": DIGEST, "properties": [{"name": "slipway:unread", "value": "a"}]}},
    "components": [{"name": "a", "version": "1", "purl": "pkg:deb/debian/a@1",
                    "licenses": [{"license": {"id": "MIT"}}, {"expression": "MIT OR ISC"}]}],
}  # fmt: skip
STATEMENT = {"subject": [{"name": "a", "digest": {"sha256": DIGEST.removeprefix("sha256:")}}], "predicate": PREDICATE}
INDEX = {"manifests": [{"digest": DIGEST, "platform": {"os": "linux", "architecture": "amd64", "variant": "v8"}}]}
MANIFEST = {"config": {"digest": digest("c")}, "layers": [{"digest": DIGEST, "size": 1}]}
STEP = f"#5 [web 1/2] FROM docker.io/library/debian:13@{DIGEST} 0.1s\n"


def _layer() -> bytes:
    """A layer with databases, a link to one, a whiteout, and a name that no plain header holds."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, text in {**DATABASES, "a/.wh.b": "", "c/.wh..wh..opq": "", "é" * 200: "a"}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("usr/lib/os-release")
        link.type, link.linkname = tarfile.LNKTYPE, "etc/os-release"
        tar.addfile(link)
    return held.getvalue()


LAYER = _layer()
KEPT = gzip.decompress(dump_layer(LayerDatabases({"etc/os-release": b"ID=a"}, frozenset({"a"}), frozenset({"b"}))))


def _read_layer(data: bytes) -> None:
    _listed(read_packages(databases_in([read_layer(io.BytesIO(data))])))


def _listed(packages: Any) -> None:
    """The SBOM of what was read: it must be possible to write one, and it must be one that is read."""
    read_sbom(sbom("host/team/web", DIGEST, ImageContents(packages, NOW, "linux/amd64"), "1.0"), DIGEST)


def _databases(text: str) -> None:
    for path in DATABASES:
        _listed(read_packages({path: text.encode(), text[:200]: text.encode()}))


def _signed(text: str) -> None:
    """All that is made of signatures, once they are read."""
    for payloads in read_payloads(text).values():
        matching(CLAIM, payloads)
        str(signed_as_another(CLAIM, payloads)).encode()
        if signed := signed_before(payloads, "shop", "web"):
            signed.model_dump_json()


def _enveloped(statement: Any) -> str:
    """A statement as cosign prints it."""
    return json.dumps({"payload": base64.b64encode(printed(statement).encode("utf-8", "surrogatepass")).decode()})


def _origin(predicate: bytes | None = None, document: bytes | None = None) -> None:
    json.dumps(image_origin("host/web", DIGEST, "a key", predicate, document).as_json())


OF_IMAGES = (
    Attacked(read_verdict, "Error: no signatures found",
             read=lambda text: [read_verdict(code, text) for code in (0, 10, 12)]),
    Attacked(read_payloads, [[SIGNED], [SIGNED, SIGNED]], shape=in_lines, read=_signed),
    Attacked(read_predicate, STATEMENT, shape=_enveloped, read=lambda text: read_predicate(text, DIGEST)),
    Attacked(read_predicate, STATEMENT, read=lambda text: read_predicate(_enveloped(text), DIGEST)),
    Attacked(read_provenance, PREDICATE, encoding="utf-8", read=lambda data: _origin(predicate=data)),
    Attacked(read_sbom, SBOM, encoding="utf-8", read=lambda data: _origin(document=data)),
    Attacked(public_remote, "https://me:secret@git.example.com:8443/a.git?b#c"),
    Attacked(read_layer, LAYER.decode("latin-1"), encoding="latin-1", read=_read_layer),
    Attacked(read_layer, gzip.compress(LAYER, 1, mtime=0).decode("latin-1"), encoding="latin-1", read=_read_layer),
    Attacked(load_layer, json.loads(KEPT), encoding="utf-8", read=lambda data: load_layer(gzip.compress(data, 1))),
    Attacked(load_layer, gzip.compress(KEPT, 1, mtime=0).decode("latin-1"), encoding="latin-1"),
    Attacked(read_packages, DPKG, read=_databases),
    Attacked(read_dpkg, DPKG, encoding="utf-8"),
    Attacked(read_apk, APK, encoding="utf-8"),
    Attacked(read_python_metadata, METADATA, encoding="utf-8",
             read=lambda data: read_python_metadata("a/b-1-py3.11.egg-info/PKG-INFO", data)),
    Attacked(read_node, NODE, encoding="utf-8"),
    Attacked(read_os_release, OS_RELEASE, encoding="utf-8"),
    Attacked(chosen_manifest, INDEX, shape=None),
    Attacked(image_parts, MANIFEST, shape=None),
    Attacked(configured, {"created": "2026-05-04T12:00:00.1Z", "os": "linux", "architecture": "amd64"}, shape=None),
    Attacked(read_built, [BUILT], read=lambda text: read_built([pinned("web")], text)),
    Attacked(read_known_digests, [BUILT]),
    Attacked(read_remote_digest, {"digest": DIGEST}),
    Attacked(known_base, [BUILT], read=lambda text: known_base("debian:13", {}, text)),
    Attacked(logged_digests, STEP, read=lambda text: logged_digests(text.splitlines())),
    Attacked(foreign_bases, pinned("web"), read=lambda text: foreign_bases([text, "a"], [text])),
)  # fmt: skip
