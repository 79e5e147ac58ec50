"""What the registry keeps, read from its own files: repositories, tags, manifests.

Source of the layout: https://distribution.github.io/distribution/ (the filesystem driver, `docker/registry/v2`)
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Json = dict[str, Any]


class Storage:
    """The files of one registry service.

    Args:
        root: its root directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = root / "docker/registry/v2"

    def repositories(self, registry: str) -> list[str]:
        """Names without the registry's. A repository without a manifest is none."""
        top = self.root / "repositories" / registry
        found = {path.parents[4] for path in top.glob("**/_manifests/revisions/sha256/*/link")}
        return sorted(str(path.relative_to(top)) for path in found)

    def tags(self, registry: str, repository: str) -> dict[str, tuple[str, str]]:
        """Tag → (digest, when)."""
        found = {}
        for link in sorted(self._manifests(registry, repository).glob("tags/*/current/link")):
            found[link.parents[1].name] = (link.read_text().strip(), when(link))
        return found

    def manifests(self, registry: str, repository: str) -> list[Json]:
        """All manifests with their tags and sizes, in the official form."""
        tags = self.tags(registry, repository)
        found = []
        for link in sorted(self._manifests(registry, repository).glob("revisions/sha256/*/link")):
            digest = link.read_text().strip()
            blobs = self._blobs(digest)
            size = sum(blob["compressed_size_bytes"] for blob in blobs)
            found.append({
                "registry_name": registry, "repository": repository, "digest": digest,
                "compressed_size_bytes": size, "size_bytes": size, "updated_at": when(link),
                "tags": sorted(tag for tag, (at, _) in tags.items() if at == digest), "blobs": blobs,
            })  # fmt: skip
        return found

    def remove_tag(self, registry: str, repository: str, tag: str) -> bool:
        """Whether there was one."""
        path = self._manifests(registry, repository) / "tags" / tag
        there = path.is_dir()
        shutil.rmtree(path, ignore_errors=True)
        return there

    def remove_repository(self, registry: str, repository: str) -> None:
        """With all tags and manifests; one whose name continues its own stays."""
        for part in ("_manifests", "_layers", "_uploads"):
            shutil.rmtree(self.root / "repositories" / registry / repository / part, ignore_errors=True)

    def remove_manifest(self, registry: str, repository: str, digest: str) -> bool:
        """With all its tags. Whether there was one."""
        path = self._manifests(registry, repository) / "revisions" / digest.replace(":", "/")
        there = path.is_dir()
        for tag, (at, _) in self.tags(registry, repository).items():
            if at == digest:
                self.remove_tag(registry, repository, tag)
        shutil.rmtree(path, ignore_errors=True)
        return there

    def used(self) -> tuple[int, int]:
        """(blobs, bytes)."""
        sizes = [path.stat().st_size for path in (self.root / "blobs").glob("sha256/*/*/data")]
        return len(sizes), sum(sizes)

    def _manifests(self, registry: str, repository: str) -> Path:
        return self.root / "repositories" / registry / repository / "_manifests"

    def _blobs(self, digest: str) -> list[Json]:
        hex = digest.partition(":")[2]
        path = self.root / "blobs/sha256" / hex[:2] / hex / "data"
        try:
            manifest = json.loads(path.read_text())
        except (OSError, ValueError):
            return []
        parts = [manifest.get("config") or {}, *manifest.get("layers", [])]
        return [{"digest": p["digest"], "compressed_size_bytes": p["size"]} for p in parts if "digest" in p]


def when(path: Path) -> str:
    """When a file was written, as the API has it."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
