"""Explains a stack from what was read of it."""

from collections.abc import Iterable

from flows.core.explanation.contents import explain_contents
from flows.core.explanation.explanation import Explanation, Refusal
from flows.core.explanation.mounted import explain_mounts
from flows.core.explanation.reading import ReadStack
from flows.core.explanation.remarks import explain_differences, explain_promotion, explain_reach
from flows.core.explanation.services import explain_services, switched_off
from flows.core.explanation.variables import explain_variables, steering


def explain(
    read: ReadStack,
    refusals: Iterable[Refusal],
    *,
    named_by: str,
    overrides: Iterable[str] = (),
    hints: Iterable[str] = (),
) -> Explanation:
    """What becomes of each part of a stack.

    Args:
        refusals: what a release would refuse.
        named_by: what gives the stack its name.
        overrides: override files beside the compose file.
    """
    variables = explain_variables(read)
    return Explanation(
        stack=read.stack.name,
        named_by=named_by,
        compose_files=tuple(map(read.shown, read.texts)),
        services=explain_services(read, variables),
        switched_off=switched_off(read),
        variables=variables,
        steering=steering(read),
        mounts=explain_mounts(read),
        contents=explain_contents(read),
        reach=tuple(explain_reach(read)),
        differences=tuple(explain_differences(read, variables, overrides)),
        promotion=tuple(explain_promotion(read)),
        refusals=tuple(refusals),
        hints=tuple(hints),
    )
