"""Builders of command lines as argv, each given hostile words wherever a name, a path or a reference may stand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flows.core.debug.service_commands import exec_argv, logs_argv
from flows.core.droplet import docker_commands as docker
from flows.core.droplet.directories import StackDirectory
from flows.core.droplet.docker_commands import Compose
from flows.core.droplet.lock import guarded_script, hold_script
from flows.core.prune.system_prune import dangling_images, disk_use
from flows.core.traffic.edge.places import EdgeDirectory
from flows.core.traffic.edge.setup_scripts import edge_version_script, put_edge_script, start_edge_script
from flows.core.traffic.edge.site_scripts import mark_release_script, put_site_script
from flows.core.trust.cosign import CosignCommands
from tests.support.hostile.attacked import full_name

Words = Sequence[str]
PLACES = tuple(f"place-{number}-of-a-word" for number in range(6))


@dataclass(frozen=True)
class ArgvBuilder:
    """A builder of a command line under attack: what it makes of hostile words."""

    function: Callable[..., Any]
    build: Callable[[Words], list[str]]

    @property
    def name(self) -> str:
        return full_name(self.function)

    def expected(self, words: Words) -> list[str]:
        """The command line with these words where its words stand, and nothing else of it changed by any."""
        argv = self.build(PLACES)
        for place, word in zip(PLACES, words, strict=True):
            argv = [part.replace(place, word) for part in argv]
        return argv


def compose(words: Words) -> Compose:
    return Compose(words[0], (words[1], words[2]), (words[3],), words[4], clean=True)


def cosign(words: Words) -> CosignCommands:
    return CosignCommands(words[0], "--use-signing-config --new-bundle-format", words[1])


ARGV = (
    ArgvBuilder(logs_argv, lambda w: logs_argv(StackDirectory(w[0], w[1]), [w[2]], tail=1, follow=True)),
    ArgvBuilder(exec_argv, lambda w: exec_argv(StackDirectory(w[0], w[1]), w[2], [w[3]])),
    ArgvBuilder(Compose.__call__, lambda w: compose(w)(w[5])),
    ArgvBuilder(Compose.config, lambda w: compose(w).config()),
    ArgvBuilder(Compose.json_config, lambda w: compose(w).json_config()),
    ArgvBuilder(Compose.raw_config, lambda w: compose(w).raw_config()),
    ArgvBuilder(Compose.build, lambda w: compose(w).build(w[5])),
    ArgvBuilder(Compose.up, lambda w: compose(w).up(anew=True)),
    ArgvBuilder(Compose.wake, lambda w: compose(w).wake([w[5]])),
    ArgvBuilder(Compose.stop, lambda w: compose(w).stop()),
    ArgvBuilder(Compose.down, lambda w: compose(w).down()),
    ArgvBuilder(docker.project_containers, lambda w: docker.project_containers(w[0])),
    ArgvBuilder(docker.stop, docker.stop),
    ArgvBuilder(docker.remove, docker.remove),
    ArgvBuilder(docker.push, lambda w: docker.push(w[0])),
    ArgvBuilder(docker.login, lambda w: docker.login(w[0], w[1])),
    ArgvBuilder(docker.inspect_images, docker.inspect_images),
    ArgvBuilder(docker.copy_image, lambda w: docker.copy_image(w[0], w[1])),
    ArgvBuilder(docker.remote_manifest, lambda w: docker.remote_manifest(w[0])),
    ArgvBuilder(docker.prune_dangling, lambda w: docker.prune_dangling(w[0])),
    ArgvBuilder(docker.prune_builder, lambda w: docker.prune_builder(w[0])),
    ArgvBuilder(dangling_images, lambda w: dangling_images(w[0])),
    ArgvBuilder(disk_use, lambda w: disk_use(w[0])),
    ArgvBuilder(CosignCommands.sign, lambda w: cosign(w).sign([w[5], w[4]], {"a": w[2]}, w[3])),
    ArgvBuilder(CosignCommands.attest, lambda w: cosign(w).attest(w[5], w[2], w[3], w[4])),
    ArgvBuilder(CosignCommands.verify, lambda w: cosign(w).verify(w[2:])),
    ArgvBuilder(CosignCommands.verify_attestation, lambda w: cosign(w).verify_attestation(w[2], w[3])),
    ArgvBuilder(CosignCommands.public_key, lambda w: cosign(w).public_key(w[2])),
    ArgvBuilder(CosignCommands.generate, lambda w: cosign(w).generate(w[2])),
    ArgvBuilder(hold_script, lambda w: hold_script(w[0], w[1])),
    ArgvBuilder(put_site_script, lambda w: put_site_script(EdgeDirectory(w[0]), w[1])),
    ArgvBuilder(mark_release_script, lambda w: mark_release_script(EdgeDirectory(w[0]), w[1], w[2], w[3])),
    ArgvBuilder(put_edge_script, lambda w: put_edge_script(EdgeDirectory(w[0]), w[1], w[2], w[3])),
    ArgvBuilder(start_edge_script, lambda w: start_edge_script(EdgeDirectory(w[0]), w[1], 1)),
    ArgvBuilder(edge_version_script, lambda w: edge_version_script(w[0])),
    ArgvBuilder(guarded_script, lambda w: guarded_script(w[0], w[1], w[2:])),
)
