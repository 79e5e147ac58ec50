"""Fields that no release can carry: what they name is no image that could be pinned, or nothing that Compose runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from flows.core.errors import UnsupportedField
from flows.core.stack.compose_files import locate
from flows.core.stack.compose_versions import compose_needs
from flows.core.stack.refused.elsewhere import means_otherwise

_UNPINNED = "a release pins the images of services, and no other"
_COPIED = "A Dockerfile can take from it (COPY --from)"
_WAITED_FOR = "A service that others wait for does the same (service_completed_successfully)"
_MODEL = (
    "a model runner of the droplet would pull it, by no digest. Run it as a service, or reach one that a variable names"
)
_EXTERNAL = "Compose takes no {kind} from elsewhere (`external: true` is for Swarm). Give it `file:` or `environment:`"


def refuse_unsupported(config: Mapping[str, Any], texts: Mapping[str, str], shared: bool = False) -> None:
    """Refuse a stack whose services use such a field; a service that is switched off does not count.

    Args:
        config: the stack as Compose resolved it.
        texts: compose file name → its text, to name the line.
        shared: both colours and the data home are on one droplet.

    Raises:
        UnsupportedField: one message with every finding.
    """
    findings = [
        f"{locate(texts, name, [field], word)} {said}"
        for name, spec in config["services"].items()
        for field, word, said in (*_findings(name, spec, config), *means_otherwise(name, spec, config, shared))
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
    for kind, field in (("config", "configs"), ("secret", "secrets")):
        known = config.get(field) or {}
        for entry in spec.get(field) or ():
            source = entry["source"] if isinstance(entry, Mapping) else entry
            if (known.get(source) or {}).get("external"):
                yield field, source, f"{name} is given the {kind} {source}: {_EXTERNAL.format(kind=kind)}"
