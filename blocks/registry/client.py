"""A client of the HTTP API of container registries.

Source: OCI distribution specification 1.1 (endpoints), OCI image specification 1.1 (manifests). Only what Slipway needs
of each.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO

import httpx

from blocks.errors import NotInRegistry, RegistryFailed, Unreachable
from blocks.http.bounded import LARGEST, MOST, bounded_client
from blocks.http.clear_text import is_loopback
from blocks.http.content import read_mapping
from blocks.registry.addresses import base_address, only_encrypted, same_place, upload_place
from blocks.registry.answers import refuse_error
from blocks.registry.auth import RegistryAuth, RegistryCredentials
from blocks.registry.layers import LAYER, PIECE, FileContent, ImageLayer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
ACCEPT = ", ".join(
    [
        MANIFEST,
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ]
)
_BYTES = "application/octet-stream"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# Bytes of a blob that is held in memory: a release of version 0.1 has all of its files in one.
LARGEST_BLOB = 256 * 1024 * 1024
_WITHIN = 300.0


@dataclass(frozen=True)
class ImageManifest:
    """An image's manifest: its digest, media type and content."""

    digest: str
    media_type: str
    content: dict[str, Any]
    raw: bytes


class RegistryClient:
    """A client of one registry, as one user, to be used as a context manager. Loopback is by http, all else by https.

    Raises in every method: Unreachable, LoginRefused, RegistryFailed, NotEncrypted; NotInRegistry where one reads.

    Args:
        timeout: seconds without a byte.
        renew: another login after one that was refused; None where there is no other.
    """

    def __init__(
        self,
        host: str,
        username: str = "",
        password: str = "",
        timeout: float = 30.0,
        renew: Callable[[], tuple[str, str] | None] = lambda: None,
    ) -> None:
        self.host = host
        address = base_address(host)
        self._http = bounded_client(
            address,
            timeout=timeout,
            within=_WITHIN,
            trust_env=not is_loopback(host),
            retries=2,
            base_url=address,
            event_hooks={"request": [only_encrypted(host)]},
        )
        self._credentials = RegistryCredentials(self._http, username, password, renew)

    def __enter__(self) -> "RegistryClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def check(self) -> None:
        """Make sure that the registry is there and takes our login."""
        self._ask("GET", "/v2/", scope="")

    def digest(self, repository: str, reference: str) -> str:
        """The digest of the manifest that a tag or digest names, as the registry says it."""
        answer = self._ask("HEAD", f"/v2/{repository}/manifests/{reference}", repository, headers={"Accept": ACCEPT})
        said = str(answer.headers.get("Docker-Content-Digest", ""))
        return said if _DIGEST.fullmatch(said) else self.manifest(repository, reference).digest

    def manifest(self, repository: str, reference: str) -> ImageManifest:
        """The manifest that a tag or digest names."""
        answer = self._ask("GET", f"/v2/{repository}/manifests/{reference}", repository, headers={"Accept": ACCEPT})
        digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
        if reference.startswith("sha256:") and reference != digest:
            raise RegistryFailed(f"registry {self.host}: {repository}@{reference} arrived damaged. Try again")
        content = read_mapping(answer.content)
        if content is None:
            raise RegistryFailed(f"registry {self.host}: {repository}/manifests/{reference} is no manifest")
        return ImageManifest(digest, answer.headers.get("Content-Type", MANIFEST), content, answer.content)

    def blob(self, repository: str, digest: str) -> bytes:
        """The content of a blob; its digest is checked."""
        content = self._ask("GET", f"/v2/{repository}/blobs/{digest}", repository, most=LARGEST_BLOB).content
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise RegistryFailed(f"registry {self.host}: {repository}@{digest} arrived damaged. Try again")
        return content

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether a blob is there."""
        try:
            self._ask("HEAD", f"/v2/{repository}/blobs/{digest}", repository, push=True)
        except NotInRegistry:
            return False
        return True

    def download(self, repository: str, digest: str, into: BinaryIO) -> None:
        """Write the content of a blob to a file, piece by piece; its digest is checked."""
        auth = RegistryAuth(self._credentials, f"repository:{repository}:pull")
        url, found = f"/v2/{repository}/blobs/{digest}", hashlib.sha256()
        try:
            with self._http.stream("GET", url, auth=auth, follow_redirects=True, extensions={MOST: None}) as answer:
                if answer.is_error:
                    answer.read()
                refuse_error(answer, self.host, self._credentials.username, auth.renewed, repository)
                for piece in answer.iter_bytes(PIECE):
                    found.update(piece)
                    into.write(piece)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        if f"sha256:{found.hexdigest()}" != digest:
            raise RegistryFailed(f"registry {self.host}: {repository}@{digest} arrived damaged. Try again")

    def tag(self, repository: str, manifest: ImageManifest, tag: str) -> None:
        """Add a tag to a manifest that is there; only the manifest is uploaded."""
        self._put_manifest(repository, tag, manifest.raw, manifest.media_type)

    def push_files(
        self,
        repository: str,
        tag: str,
        layer: bytes,
        diff_id: str,
        labels: dict[str, str],
        more: Sequence[ImageLayer] = (),
    ) -> str:
        """Push an image whose first layer is this gzipped tar, and return its digest. Equal content, equal digest.

        Args:
            diff_id: digest of the layer before compression.
            labels: labels of the image.
            more: layers above it, which are there already.
        """
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Labels": labels},
                "rootfs": {"type": "layers", "diff_ids": [diff_id, *(one.diff_id for one in more)]},
            },
            sort_keys=True,
        ).encode()
        described = [self._push_blob(repository, blob) for blob in (config, layer)]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, **described[0]},
            "layers": [{"mediaType": LAYER, **described[1]}, *(one.descriptor() for one in more)],
            "annotations": labels,
        }
        return self._put_manifest(repository, tag, json.dumps(manifest, sort_keys=True).encode(), MANIFEST)

    def push_blob(self, repository: str, digest: str, content: bytes | FileContent) -> None:
        """Push a blob; one that is there is not sent again."""
        if self.has_blob(repository, digest):
            return
        begun = self._ask("POST", f"/v2/{repository}/blobs/uploads/", repository, push=True)
        place = upload_place(self._http.base_url, begun.headers.get("Location"))
        target = str(place.copy_merge_params({"digest": digest}))
        headers = {"Content-Type": _BYTES, "Content-Length": str(len(content))}
        self._ask("PUT", target, repository, push=True, content=content, headers=headers)

    def _push_blob(self, repository: str, blob: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        self.push_blob(repository, digest, blob)
        return {"digest": digest, "size": len(blob)}

    def _put_manifest(self, repository: str, tag: str, content: bytes, media_type: str) -> str:
        headers = {"Content-Type": media_type}
        self._ask("PUT", f"/v2/{repository}/manifests/{tag}", repository, push=True, content=content, headers=headers)
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    def _ask(
        self,
        method: str,
        url: str,
        repository: str = "",
        *,
        push: bool = False,
        scope: str | None = None,
        content: bytes | FileContent | None = None,
        headers: dict[str, str] | None = None,
        most: int = LARGEST,
    ) -> httpx.Response:
        if scope is None:
            scope = f"repository:{repository}:{'pull,push' if push else 'pull'}"
        auth = RegistryAuth(self._credentials, scope)
        base, follow = self._http.base_url, method in ("GET", "HEAD")
        signed = auth if same_place(base.join(url), base) else None  # an upload may go elsewhere; our login does not
        try:
            answer = self._http.request(
                method, url, content=content, headers=headers, auth=signed, follow_redirects=follow,
                extensions={MOST: most},
            )  # fmt: skip
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        refuse_error(answer, self.host, self._credentials.username, auth.renewed, repository)
        return answer

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"registry {self.host} cannot be reached: {error or type(error).__name__}. "
            f"Does `curl {self._http.base_url}/v2/` answer?"
        )
