"""Prunes the build host: dangling images of one stack, and builder cache beyond a size."""

from prefect.logging import get_run_logger

from flows.core.droplet.docker_commands import inspect_images, prune_builder, prune_dangling
from flows.core.droplet.sections import read_rows
from flows.core.prune.inventory import read_strangers
from flows.core.prune.system_prune import dangling_images, disk_use
from flows.settings import Settings
from flows.tasks.build_host import run
from flows.tasks.runs.artifacts import table
from flows.tasks.runs.blocks import engine_environment
from flows.tasks.runs.declaration import task
from flows.tasks.runs.log_masking import masked_line
from flows.tasks.runs.retries import ONCE

_BUILD_HOST = 300.0


@task(name="prune build host", task_run_name="prune the build host", **ONCE)
def prune_build_host(stack: str, settings: Settings, dry_run: bool = False) -> tuple[str, ...]:
    """Remove dangling images of the stack and builder cache beyond `builder_cache`; nothing tagged, nothing of others.

    Returns:
        What each command said it freed, in words; of a dry run, what would go.
    """
    env, log = engine_environment(settings), get_run_logger()
    images = read_rows(run(dangling_images(stack, settings.docker), env).stdout)
    cache = next(
        (row[1] for row in read_rows(run(disk_use(settings.docker), env).stdout) if row[0] == "Build Cache"), ""
    )
    rows: list[dict[str, object]] = [
        {"": "goes", "kind": "image", "name": row[0], "why": "no tag names it any more", "size": row[-1]}
        for row in images
    ]
    rows.append({
        "": "goes", "kind": "builder cache", "name": "the oldest", "why": f"beyond {settings.builder_cache}",
        "size": f"{cache or 'unknown'} in all",
    })  # fmt: skip
    table(f"prune-build-host-{stack}", rows, f"What {stack} no longer needs on the build host")
    if dry_run:
        return (
            f"{len(images)} dangling images of {stack}",
            f"builder cache beyond {settings.builder_cache} (now {cache})",
        )
    said = free_build_host(stack, settings)
    for words in said:
        log.info("%s", words)
    return said


def free_build_host(stack: str, settings: Settings) -> tuple[str, ...]:
    """What `prune_build_host` removes, without a task; what each command said, in words."""
    env, said = engine_environment(settings), []
    commands = [prune_dangling(stack, settings.docker), prune_builder(settings.builder_cache, settings.docker)]
    if strangers := _strangers(stack, settings):
        said.append(f"`{' '.join(commands.pop(0))}` was left out: the engine lists images of others for that label: "
                    f"{masked_line(', '.join(strangers))}")  # fmt: skip
    for argv in commands:
        answer = run(argv, env, _BUILD_HOST)
        lines = (answer.stdout if answer.returncode == 0 else answer.stderr).strip().splitlines()
        said.append(f"`{' '.join(argv)}`: {masked_line(lines[-1]) if lines else 'nothing'}")
    return tuple(said)


def _strangers(stack: str, settings: Settings) -> tuple[str, ...]:
    """What the engine lists as the stack's dangling images, and is not: its filters are asked first, then believed."""
    env = engine_environment(settings)
    ids = [row[0] for row in read_rows(run(dangling_images(stack, settings.docker), env).stdout)]
    if not ids:
        return ()
    answer = run(inspect_images(ids, settings.docker), env)
    return read_strangers(answer.stdout, stack) if answer.returncode == 0 else ()
