"""A `docker` that runs no container: it keeps a list of them, and is Caddy where Caddy is asked.

Files in its directory are what it knows and does: `containers/ID` (a container's mark), `digests` (of the image that is
there), `upstream` (of the one in the registry), `never-serves`, `reload-fails`. `asked` is each call. Caddy refuses
a configuration that holds the word BROKEN.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
EDGE = HERE / "slipway/.edge"


def _ids(mark: str = "") -> list[str]:
    found = sorted((HERE / "containers").iterdir(), key=lambda one: -int(one.name))
    return [one.name for one in found if not mark or one.read_text() == mark]


def _caddy(words: list[str]) -> int:
    folder = EDGE / "config" / ("trial" if "validate" in words else ".")
    files = [folder / "Caddyfile", *folder.glob("sites/*.caddy")]
    if any("BROKEN" in file.read_text() for file in files) or ("reload" in words and (HERE / "reload-fails").exists()):
        print('{"level":"info","msg":"reading"}\nError: adapting config: unrecognized directive: BROKEN')
        return 1
    return 0


def _up(words: list[str]) -> int:
    [service] = json.loads((EDGE / "compose.yml").read_text())["services"].values()
    there = _ids()
    if "--no-recreate" not in words:
        for one in there:
            (HERE / "containers" / one).unlink()
    (HERE / "containers" / str(max(map(int, there), default=0) + 1)).write_text(service["labels"]["slipway.edge"])
    return 0


def _made(container: str) -> str:
    """When a container was made, which is when it says its first words."""
    made = datetime.fromtimestamp((HERE / "containers" / container).stat().st_mtime, UTC)
    return made.isoformat(timespec="seconds").replace("+00:00", "Z")


def main(words: list[str]) -> int:
    with (HERE / "asked").open("a") as log:
        print(*words, file=log)
    line = " ".join(words)
    if words[:2] == ["ps", "-q"] or words[:2] == ["ps", "-aq"]:
        print("\n".join(_ids(line.partition("label=slipway.edge=")[2].split(" ")[0])))
    elif words[0] == "ps" and "label=" in line.partition("--format")[0]:
        for one in _ids()[:1]:
            mark = (HERE / "containers" / one).read_text()
            print(json.dumps({"image": (HERE / "running").read_text(), "mark": mark, "state": "Up"}))
    elif words[0] == "exec" or "validate" in words:
        return _caddy(words)
    elif words[0] == "run":
        print("v2.8.4 h1:abc")
    elif words[0] == "pull":
        if not (HERE / "upstream").exists():
            print("Error: manifest unknown", file=sys.stderr)
            return 1
        (HERE / "digests").write_text((HERE / "upstream").read_text())
    elif words[:2] == ["image", "inspect"]:
        if not (HERE / "digests").exists():
            return 1
        print((HERE / "digests").read_text())
    elif words[0] == "compose":
        return _up(words)
    elif words[0] == "logs":
        if (HERE / "never-serves").exists():
            print("panic")
        elif "--since" not in words or words[words.index("--since") + 1] <= _made(words[-1]):
            print("serving initial configuration")
    elif words[0] == "inspect":
        print("9999-12-31T23:59:59Z")  # a busy engine calls a container started after its first words
    elif words[0] == "rm":
        (HERE / "containers" / words[-1]).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
