"""Droplets as containers of the lab's kind, and snapshots of them as images with copies of their volumes."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from typing import Any

import yaml

from .docker import address, docker, inspect

VOLUMES = {"engine": "/var/lib/docker", "state": "/var/lib/droplet", "home": "/opt"}
KEPT = ("engine", "home")  # a droplet that is made of a snapshot gets a host key of its own
HOST_KEY = "var/lib/droplet/ssh_host_ed25519_key"


class Engine:
    """Makes droplets beside the lab's own.

    Args:
        lab: the lab's name, which is its network's too.
        key: the public key that the account knows.
        trusted: certificates that a droplet's engine trusts, by their path without the first slash.
    """

    def __init__(self, lab: str, key: str, trusted: dict[str, str]) -> None:
        self.lab, self.key = lab, key
        self._trusted = {path: (text, 0o644) for path, text in trusted.items()}
        labels = {"dev.slipway.lab": "true", "com.docker.compose.project": lab, "com.docker.compose.oneoff": "True",
                  "dev.slipway.lab.digitalocean": "true"}  # fmt: skip
        self._labels = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
        self._changes = [word for name, value in labels.items() for word in ("--change", f"LABEL {name}={value}")]

    def create(self, id: int, name: str, snapshot: str | None, keys: list[Any], user_data: str) -> tuple[str, str]:
        """Start a droplet; returns its container and its address."""
        container = f"{self.lab}-do-{id}"
        image = f"{self.lab}-do-snapshot-{snapshot}" if snapshot else f"{self.lab}-droplet"
        mounts = []
        for kind, path in VOLUMES.items():
            docker("volume", "create", *self._labels, f"{container}-{kind}")
            mounts += ["-v", f"{container}-{kind}:{path}"]
            if snapshot and kind in KEPT:
                self._copy(f"{image}-{kind}", f"{container}-{kind}")
        docker(
            "create", "--name", container, "--hostname", name, *self._labels, "--privileged", "--init",
            "--tmpfs", "/run", "--network", self.lab, "--stop-timeout", "8",
            "--log-opt", "max-size=5m", *mounts, image,
        )  # fmt: skip
        known = snapshot is not None or fingerprint(self.key) in keys
        files = {
            "etc/slipway/authorized_keys": (self.key if known else "", 0o644),
            **self._trusted,
            **host_key(user_data),
        }
        docker("cp", "-", f"{container}:/", stdin=archive(files))
        docker("start", container)
        return container, address(container, self.lab)

    def destroy(self, id: int, container: str) -> None:
        """Remove a droplet of ours with its volumes. One of the lab's own only leaves the account."""
        if container == f"{self.lab}-do-{id}":
            docker("rm", "-f", "-v", container, check=False)
            docker("volume", "rm", "-f", *(f"{container}-{kind}" for kind in VOLUMES), check=False)

    def power(self, container: str, type: str) -> str:
        """Stop or start it; returns its address afterwards, '' when it is off."""
        if type in ("shutdown", "power_off", "reboot", "power_cycle"):
            docker("stop", container)
        if type in ("power_on", "reboot", "power_cycle"):
            docker("start", container)
        return address(container, self.lab)

    def snapshot(self, container: str, id: str) -> int:
        """Take one; a live one is as if the power had been cut. Returns its size in bytes."""
        image = f"{self.lab}-do-snapshot-{id}"
        docker("commit", *self._changes, container, image)
        mounts = {m["Destination"]: m["Name"] for m in inspect(container)["Mounts"] if m["Type"] == "volume"}
        for kind in KEPT:
            docker("volume", "create", *self._labels, f"{image}-{kind}")
            self._copy(mounts[VOLUMES[kind]], f"{image}-{kind}")
        volumes = [word for kind in KEPT for word in ("-v", f"{image}-{kind}:/{kind}:ro")]
        used = self._run(*volumes, f"{self.lab}-droplet", "du", "-sbc", *(f"/{kind}" for kind in KEPT))
        return int(used.split()[-2]) + int(docker("image", "inspect", "--format", "{{.Size}}", image))

    def drop_snapshot(self, id: str) -> None:
        """Remove one."""
        image = f"{self.lab}-do-snapshot-{id}"
        docker("rmi", "-f", image, check=False)
        docker("volume", "rm", "-f", *(f"{image}-{kind}" for kind in KEPT), check=False)

    def sweep(self) -> None:
        """Remove what a stand-in before this one left."""
        ours = ["--filter", "label=dev.slipway.lab.digitalocean=true", "--filter",
                f"label=com.docker.compose.project={self.lab}"]  # fmt: skip
        for found, remove in (
            (docker("ps", "-aq", *ours), ("rm", "-f", "-v")),
            (docker("volume", "ls", "-q", *ours), ("volume", "rm", "-f")),
            (docker("images", "-q", *ours), ("rmi", "-f")),
        ):
            if found:
                docker(*remove, *dict.fromkeys(found.split()), check=False)

    def _copy(self, source: str, target: str) -> None:
        """Files that go while they are copied are no error: they are what a live snapshot misses."""
        self._run("-v", f"{source}:/from:ro", "-v", f"{target}:/to", f"{self.lab}-droplet",
                  "sh", "-c", "cp -a /from/. /to/ 2>/dev/null || [ $? = 1 ]")  # fmt: skip

    def _run(self, *words: str) -> str:
        return docker("run", "--rm", *self._labels, "--network", "none", "--entrypoint", "", *words)


def fingerprint(key: str) -> str:
    """The MD5 fingerprint by which the account knows a public key."""
    digest = hashlib.md5(base64.b64decode(key.split()[1]), usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def host_key(user_data: str) -> dict[str, tuple[str, int]]:
    """What cloud-init would make of `ssh_keys`."""
    given = yaml.safe_load(user_data) if user_data.startswith("#cloud-config") else {}
    keys = (given or {}).get("ssh_keys") or {}
    if "ed25519_private" not in keys:
        return {}
    return {HOST_KEY: (keys["ed25519_private"], 0o600), f"{HOST_KEY}.pub": (keys["ed25519_public"], 0o644)}


def archive(files: dict[str, tuple[str, int]]) -> bytes:
    """A tar of these files, as root's."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, (text, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), mode
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
