"""rsync and tar over ssh: what a person copies a tree of files to a droplet with."""

import os
import shutil

from benchmarks.bench import Bench
from benchmarks.command import BenchmarkFailed, run
from benchmarks.tree import TreeStack

_INSTALL = (
    "command -v rsync >/dev/null || { apt-get update -qq; "
    "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rsync >/dev/null; }"
)
_PLACE = "/opt/peers"


def install_rsync(bench: Bench) -> None:
    """Bring rsync to both ends.

    Raises:
        BenchmarkFailed: with the reason.
    """
    if not shutil.which("rsync"):
        if os.geteuid() != 0:
            raise BenchmarkFailed("rsync is not installed here, and only root could install it")
        run(["sh", "-c", _INSTALL])
    bench.lab.inside(_INSTALL)


def empty_peers(bench: Bench) -> None:
    """Remove what they copied, and make their directories anew."""
    bench.lab.inside(f"rm -rf {_PLACE} && mkdir -p {_PLACE}/rsync {_PLACE}/tar")


def rsync_tree(bench: Bench, stack: TreeStack) -> None:
    """Bring the droplet's copy of the tree up to date."""
    ssh = " ".join(bench.ssh()[:-1])
    run(["rsync", "-a", "--delete", "-e", ssh, f"{stack.tree}/", f"{bench.ssh()[-1]}:{_PLACE}/rsync/"])


def tar_tree(bench: Bench, stack: TreeStack) -> None:
    """Send the whole tree as one tar."""
    unpack = f"{' '.join(bench.ssh())} tar -xpf - -C {_PLACE}/tar"
    run(["bash", "-o", "pipefail", "-c", f'tar -C "$0" -cf - . | {unpack}', str(stack.tree)])
