"""A namespace of the lab's registry, and what the build host has of it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.support.lab.lab import lab_tls


@dataclass
class RegistryNamespace:
    """A namespace of the lab's registry that belongs to one test module."""

    block: Any
    namespace: str

    @property
    def host(self) -> str:
        return str(self.block.host)

    def named(self, **fields: Any) -> Any:
        """The registry's block with this namespace, and whatever else is to be different."""
        return self.block.model_copy(update={"namespace": self.namespace, **fields})

    def push(self, name: str, dockerfile: str, context: Path) -> str:
        """Build a small image and push it into the namespace `NAMESPACE-elsewhere`; returns its reference."""
        reference = f"{self.host}/{self.namespace}-elsewhere/{name}"
        (context / "Dockerfile").write_text(dockerfile)
        with self.block.docker_config() as login:
            for argv in (["build", "-q", "-t", reference, str(context)], ["push", "-q", reference]):
                subprocess.run(["docker", *argv], check=True, capture_output=True, env={**os.environ, **login})
        return reference

    def digest(self, repository: str, tag: str) -> str:
        with self.block.client() as client:
            return str(client.digest(repository, tag))

    def repositories(self) -> list[str]:
        return [name for name in self._get("/v2/_catalog?n=1000")["repositories"] if name.startswith(self.namespace)]

    def tags(self, repository: str) -> list[str]:
        return sorted(self._get(f"/v2/{repository}/tags/list").get("tags") or ())

    def empty(self) -> None:
        """Remove every manifest of this module from the registry."""
        for repository in self.repositories():
            for digest in {self.digest(repository, tag) for tag in self.tags(repository)}:
                self._http().delete(f"/v2/{repository}/manifests/{digest}").raise_for_status()

    def _get(self, path: str) -> Any:
        return self._http().get(path).raise_for_status().json()

    def _http(self) -> httpx.Client:
        login = (self.block.username, self.block.password.get_secret_value())
        scheme = "https" if self.block.ca_certificate else "http"
        return httpx.Client(base_url=f"{scheme}://{self.host}", auth=login, timeout=30, verify=lab_tls())


def remove_build_images(words: str) -> None:
    """Remove the images from the build host whose name holds `words`."""
    listed = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}\t{{.ID}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    mine = [line.split("\t") for line in listed if words in line]
    if mine:
        names = [name if not name.endswith(":<none>") else image for name, image in mine]
        subprocess.run(["docker", "rmi", "-f", *dict.fromkeys(names)], check=False, capture_output=True)
