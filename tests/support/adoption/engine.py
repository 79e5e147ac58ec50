"""A `docker` whose containers are entries of a JSON file: what is stopped, started, renamed or removed stays so.

Started as a program of its own, by the scripts under test: `python engine.py FILE ARGUMENTS…`.
"""

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

LABEL = "com.docker.compose.project"


def main(file: Path, words: list[str]) -> int:
    held = json.loads(file.read_text())
    held["asked"].append(" ".join(words))
    try:
        return answer(held, words)
    finally:
        file.write_text(json.dumps(held))


def answer(held: dict, words: list[str]) -> int:
    kind = words[0] if words[0] in ("container", "volume", "network") else ""
    verb, *rest = words[1:] if kind else words
    options = [word for word in rest if word.startswith("--")]
    given = [word for word in rest if not word.startswith("--")]
    template = ""
    if "--format" in options:
        template = rest[rest.index("--format") + 1]
        given.remove(template)
    if kind == "network":
        return networks(held, verb, given, template)
    if verb == "ps":
        return listed(held, rest)
    known = held["volumes"] if kind == "volume" else held["containers"]
    code = 0
    found = []
    for name in given[: 1 if verb == "rename" else None]:
        if name in known:
            found.append(known[name])
        else:
            print(f"no such thing: {name}", file=sys.stderr)
            code = 1
    if verb == "inspect":
        inspected(found, template)
    for one in found if not kind else ():
        code = changed(held, verb, one, rest) or code
    return code


def listed(held: dict, rest: list[str]) -> int:
    filters = [word for option, word in pairwise(rest) if option == "--filter"]
    for key, one in held["containers"].items():
        labels = [f"label={name}={value}" for name, value in one["Config"]["Labels"].items()]
        status = one["State"]["Status"]
        shown = "--all" in rest or status == "running"
        if shown and all(each in (*labels, f"status={status}") for each in filters):
            print(key)
    return 0


def inspected(found: list[dict], template: str) -> None:
    if not template:
        print(json.dumps(found))
    for one in found if template else ():
        if "Mounts" in template:
            print("\n".join(mount["Name"] for mount in one["Mounts"] if mount["Type"] == "volume"))
        elif "State" in template:
            print(one["Id"], one["State"]["Status"], "none")
        elif "Labels" in template:
            print(one["Config"]["Labels"].get(re.findall(r'"(.*)"', template)[0], ""))
        else:
            print(one[template.strip("{}.")])


def changed(held: dict, verb: str, one: dict, rest: list[str]) -> int:
    if verb == "update":
        name, _, count = rest[0].removeprefix("--restart=").partition(":")
        one["HostConfig"]["RestartPolicy"] = {"Name": name, "MaximumRetryCount": int(count or 0)}
    elif verb == "rename":
        one["Name"] = f"/{rest[-1]}"
    elif verb == "rm":
        if one["State"]["Status"] == "running":
            return 1
        del held["containers"][one["Id"]]
    elif verb in ("start", "restart"):
        one["State"]["Status"] = "running"
    elif verb == "stop" and one["State"]["Status"] == "running":
        one["State"]["Status"] = "exited"
    return 0


def networks(held: dict, verb: str, given: list[str], template: str) -> int:
    if verb == "ls":
        wanted = next(word for word in given if word.startswith("label=")).rpartition("=")[2]
        print("\n".join(f"{key} {one['name']}" for key, one in held["networks"].items() if one["project"] == wanted))
        return 0
    if given[0] not in held["networks"]:
        return 1
    if verb == "inspect":
        print(held["networks"][given[0]]["project"])
    elif held["networks"][given[0]].get("used"):
        return 1
    else:
        del held["networks"][given[0]]
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
