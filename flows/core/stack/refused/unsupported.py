"""Fields that no release can carry: what they name is no image that could be pinned, or nothing that Compose runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from flows.core.errors import UnsupportedField
from flows.core.stack.compose_files import locate
from flows.core.stack.compose_versions import compose_needs

_UNPINNED = "a release pins the images of services, and no other"
_COPIED = "A Dockerfile can take from it (COPY --from)"
_WAITED_FOR = "A service that others wait for does the same (service_completed_successfully)"
_MODEL = (
    "a model runner of the droplet would pull it, by no digest. Run it as a service, or reach one that a variable names"
)
_EXTERNAL = "Compose takes no {kind} from elsewhere (`external: true` is for Swarm). Give it `file:` or `environment:`"
_DROPPED = (
    "its name begins with `x-`, and Compose takes that for an extension: it drops the rest of it where another file "
    "adds to it, as a release does. Give it another name"
)
_APART = (
    "one of the two runs on the data home (x-slipway.data: home) and the other on the colours, so on another droplet"
)
_TOGETHER = "Say `data: home` beside both or neither, or have {name} reach {other} by an address that a variable names"
_OWN_BUILD = "Say `data: home` beside both or neither, or start from its image in the Dockerfile (FROM)"


def refuse_unsupported(config: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Refuse a stack whose services use such a field; a service that is switched off does not count.

    Args:
        config: the stack as Compose resolved it.
        texts: compose file name → its text, to name the line.

    Raises:
        UnsupportedField: one message with every finding.
    """
    findings = [
        f"{locate(texts, name, [field], word)} {said}"
        for name, spec in config["services"].items()
        for field, word, said in _findings(name, spec, config)
    ]
    if findings:
        raise UnsupportedField(f"a release cannot carry all of this stack: {'; '.join(findings)}")


def refuse_label_files(texts: Mapping[str, str]) -> None:
    """Refuse `label_file`, before Compose looks for the file: it is neither read with the stack nor shipped.

    Args:
        texts: compose file name → its text.

    Raises:
        UnsupportedField
    """
    found = [need.place for need in compose_needs(texts) if need.field == "label_file"]
    if found:
        raise UnsupportedField(
            f"{', '.join(found)} names a file of labels (`label_file`), which does not come along with a release. "
            "Write them under `labels:`"
        )


def _findings(name: str, spec: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The field, a word that stands in it, and what is wrong with it."""
    if provider := spec.get("provider"):
        kind = str(provider.get("type", ""))
        yield "provider", kind, f"{name} is provided by {kind} (`provider:`): it is no image, and nothing to pin"
    for model in spec.get("models") or ():
        yield "models", str(model), f"{name} uses the model {model} (`models:`): {_MODEL}"
    for image in (str(m.get("source", "")) for m in spec.get("volumes") or () if m.get("type") == "image"):
        yield "volumes", image, f"{name} mounts the image {image}: {_UNPINNED}. {_COPIED}"
    for image in (str(hook["image"]) for hook in spec.get("pre_start") or () if hook.get("image")):
        yield "pre_start", image, f"{name} has a hook with the image {image}: {_UNPINNED}. {_WAITED_FOR}"
    if name.startswith("x-"):
        yield "image" if spec.get("image") else "build", "", f"is of service {name}: {_DROPPED}"
    home = _at_home(config)
    for volume in (str(m.get("source") or "") for m in spec.get("volumes") or () if m.get("type") == "volume"):
        if volume.startswith("x-") and name in home:
            yield "volumes", volume, f"mounts the volume {volume} into {name}, on the data home: {_DROPPED}"
    for field, word, other in _ties(spec):
        if other in config["services"] and (other in home) != (name in home):
            choice = (_OWN_BUILD if field == "build" else _TOGETHER).format(name=name, other=other)
            yield field, word, f"ties {name} to {other} (`{field}: {word}`): {_APART}. {choice}"
    for kind, field in (("config", "configs"), ("secret", "secrets")):
        known = config.get(field) or {}
        for entry in spec.get(field) or ():
            source = entry["source"] if isinstance(entry, Mapping) else entry
            if (known.get(source) or {}).get("external"):
                yield field, source, f"{name} is given the {kind} {source}: {_EXTERNAL.format(kind=kind)}"


def _at_home(config: Mapping[str, Any]) -> set[str]:
    extensions = {name: spec.get("x-slipway") for name, spec in config["services"].items()}
    return {name for name, said in extensions.items() if isinstance(said, Mapping) and said.get("data") == "home"}


def _ties(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What needs another service on the same droplet: the field, the word that stands there, the other service."""
    of_service = "service:"
    for field in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        word = str(spec.get(field) or "")
        if word.startswith(of_service):
            yield field, word, word.removeprefix(of_service)
    for word in map(str, spec.get("volumes_from") or ()):
        if not word.startswith("container:"):
            yield "volumes_from", word, word.partition(":")[0]
    for word in map(str, spec.get("links") or ()):
        yield "links", word, word.partition(":")[0]
    for word in map(str, ((spec.get("build") or {}).get("additional_contexts") or {}).values()):
        if word.startswith(of_service):
            yield "build", word, word.removeprefix(of_service)
