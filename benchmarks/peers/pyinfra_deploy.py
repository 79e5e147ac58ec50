"""The deploy as a user of pyinfra writes it: the release's files, then shell operations. Run by pyinfra itself."""

from pyinfra import host
from pyinfra.operations import files, server

data = host.data
at, current = data.release_directory, data.current

files.put(name="The release's files", src=data.tar, dest="/tmp/release.tgz", mode="600")  # noqa: S108 — in the lab
server.shell(
    name="The current release",
    commands=[f"mkdir -p {at} && tar -xzpf /tmp/release.tgz -C {at} && ln -sfn {at} {current}"],
)
server.shell(
    name="Pull, start what differs, wait", commands=[f"{data.compose} pull --quiet && {data.compose} {data.up}"]
)
