"""An environment block that is out of date with its source: what it lacks, and what is gone there. Names, no values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class EnvironmentNames:
    """The names of variables and of env and secret files that a block holds, or that a source has."""

    variables: Collection[str]
    files: Collection[str] = ()


def outdated_environment(
    held: EnvironmentNames,
    here: EnvironmentNames,
    *,
    env_file: str,
    elsewhere: Collection[str] = (),
    named_files: Collection[str] = (),
) -> list[str]:
    """A sentence for each kind of thing that a block lacks, and that its source does not have any more.

    Args:
        held: what the block holds.
        here: the variables of the source's env file, none where there is no such file; and the files that are there or
            must be.
        env_file: that file, as it is shown.
        elsewhere: names of variables that the run has from elsewhere.
        named_files: all files that the stack names, there or not.
    """
    gone = set(held.variables) - set(here.variables) if here.variables else set()
    found = (
        (set(here.variables) - set(held.variables) - set(elsewhere), "lacks", f"{env_file} has"),
        (gone, "has", f"{env_file} does not have any more"),
        (set(here.files) - set(held.files), "lacks", "the stack names"),
        (set(held.files) - set(named_files), "has", "the stack does not name any more"),
    )
    return [
        f"the environment block {verb} {', '.join(sorted(names))}, which {why}" for names, verb, why in found if names
    ]


def outdated_env_files(held: Mapping[str, Collection[str]], here: Mapping[str, Collection[str]]) -> list[str]:
    """A sentence for each env file that has other variables here than in the block.

    Args:
        held: env file → the names of its variables, as the block holds it.
        here: the same as the source has it.
    """
    both = sorted(held.keys() & here.keys())
    found = [
        (path, names, verb, why)
        for path in both
        for names, verb, why in (
            (set(here[path]) - set(held[path]), "lacks", "it has here"),
            (set(held[path]) - set(here[path]), "has", "it does not have here any more"),
        )
    ]
    return [
        f"{path} in the environment block {verb} {', '.join(sorted(names))}, which {why}"
        for path, names, verb, why in found
        if names
    ]
