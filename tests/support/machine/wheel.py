"""The wheel of this checkout, and an environment of its own that it is installed into."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests import CHECKOUT


def installed_wheel(place: Path) -> tuple[Path, Path]:
    """The wheel, and the directory of its commands. What the wheel needs is that of this environment.

    Args:
        place: an empty directory.
    """
    source = place / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "flows", "blocks", "compose/observability", "compose/control-plane.yml",
         "pyproject.toml", "README.md", "LICENSE", "*.yaml", "*.json"],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, tracked):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).symlink_to(os.readlink(CHECKOUT / name)) if (CHECKOUT / name).is_symlink() else (
            (source / name).write_bytes((CHECKOUT / name).read_bytes())
        )
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = ["wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", str(place), "."]
    subprocess.run([*pip, *build], cwd=source, check=True, timeout=300)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place / "venv")], check=True, timeout=60)
    python = place / "venv/bin/python"
    (wheel,) = place.glob("*.whl")
    subprocess.run(
        [*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], check=True, timeout=120
    )
    found = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    # A plain path: an editable install of the checkout is not followed from there.
    with open(f"{found.strip()}/needed.pth", "w") as file:
        file.write(sysconfig.get_path("purelib"))
    return wheel, place / "venv/bin"
