"""Labels that make a service restart when the content of its configs or secrets changes.

Compose compares how services are defined. Of a config with `content:` or `environment:`, and of a secret with
`environment:`, it compares the name alone (2.26), and copies the content into the container once, when it makes it.
"""

from collections.abc import Collection, Iterator, Mapping

from flows.core.errors import UnsetVariables
from flows.core.release.release import content_hash
from flows.core.stack.stack import Service, Stack

CONTENT_LABEL = "dev.slipway.content"


def content_labels(stack: Stack, variables: Mapping[str, str], services: Collection[str], seed: str) -> dict[str, str]:
    """Service → a hash of the contents it is given; services that are given none are left out.

    Args:
        stack: as the droplet's own Compose resolves it, with its variables in place.
        variables: what the droplet's Compose has for variables.
        services: those that run there.
        seed: mixed into the hash, so that equal contents of two stacks do not look equal.
    """
    labels = {}
    for name in sorted(services):
        contents = dict(_contents(stack, stack.services[name], variables)) if name in stack.services else {}
        if contents:
            labels[name] = content_hash({**contents, "seed": seed.encode()})
    return labels


def refuse_unset_contents(stack: Stack, variables: Mapping[str, str], who: str) -> None:
    """Refuse a stack whose services are given the value of a variable that has none.

    Compose would notice when it has stopped the old container, and start the new one without it at the next try.

    Raises:
        UnsetVariables
    """
    missing = sorted({
        f"{variable} ({kind} {name} of {service.name})"
        for service in stack.services.values()
        for kind, name, variable in _variables(stack, service)
        if variable not in variables
    })  # fmt: skip
    if missing:
        raise UnsetVariables(
            f"{who} {', '.join(missing)}, which nobody gave a value. Set it in the stack's environment block "
            "(slipway environment set), or with --env-file PATH"
        )


def _contents(stack: Stack, service: Service, variables: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    for name in service.configs:
        if name in stack.config_contents:
            yield f"config/{name}", stack.config_contents[name].encode()
    for kind, name, variable in _variables(stack, service):
        yield f"{kind}/{name}", variables.get(variable, "").encode()


def _variables(stack: Stack, service: Service) -> Iterator[tuple[str, str, str]]:
    """Kind and name of what the service is given from a variable, and the variable."""
    for name in service.configs:
        if name in stack.config_variables:
            yield "config", name, stack.config_variables[name]
    for name in service.secret_names:
        if name in stack.secret_variables:
            yield "secret", name, stack.secret_variables[name]
