"""Words for people in the Prefect UI: tables as artifacts."""

from collections.abc import Iterable, Sequence

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.core.gates.probes import ProbeResult
from flows.core.quotation import Markup, literal
from flows.core.registry.references import slug
from flows.core.results import Deployed, Validated
from flows.settings import Settings
from flows.tasks.runs.log_masking import mask
from flows.tasks.runs.server import server_answers

_LIGHTS = {"✓": "🟢 passed", "✗": "🔴 failed", "?": "🟡 unknown"}


def table(key: str, rows: Sequence[dict[str, object]], description: str) -> None:
    """Show rows as a table artifact. Without a Prefect server there is none, and the run goes on."""
    shown = [{name: _shown(cell) if isinstance(cell, str) else cell for name, cell in row.items()} for row in rows]
    if server_answers():
        create_table_artifact(shown, **_named(key, description))


def page(key: str, text: str, description: str) -> None:
    """Show Markdown as an artifact. Without a Prefect server there is none, and the run goes on."""
    if server_answers():
        create_markdown_artifact(mask(text), **_named(key, description))


def probe_rows(outcomes: Iterable[ProbeResult]) -> list[dict[str, object]]:
    """One row a probe: colour first, for the eye."""
    return [
        {
            "result": _LIGHTS[outcome.mark],
            "service": outcome.name,
            "probe": outcome.phase.value,
            "found": outcome.detail,
            "seconds": f"{outcome.seconds:.2f}",
        }
        for outcome in outcomes
    ]


def release_rows(deployed: Deployed, validated: Validated) -> list[dict[str, object]]:
    """One row a service: what runs, how it is, and what its probes found."""
    probes: dict[str, list[str]] = {}
    for outcome in validated.outcomes:
        probes.setdefault(outcome.service, []).append(f"{_LIGHTS[outcome.mark][0]} {outcome.phase.value}")
    return [
        {"service": name, "state": said.state, "health": said.health, "probes": ", ".join(probes.get(name, [])),
         "image": said.image}
        for name, said in sorted(deployed.services.items())
    ]  # fmt: skip


def _shown(cell: str) -> str:
    """A cell as the UI's Markdown shows it word for word; what is Markdown of our own stays so."""
    shown = mask(cell)
    return str(shown) if isinstance(cell, Markup) else literal(shown, cell=False)


def artifact_key(key: str) -> str:
    """The key under which this run keeps an artifact: with its destination, as others would overwrite it from there.

    Keys take lower-case letters, digits and dashes.
    """
    to = Settings().destination
    return slug(f"{key}-{to}" if to else key).replace(".", "-").replace("_", "-")


def _named(key: str, description: str) -> dict[str, str]:
    to = Settings().destination
    return {"key": artifact_key(key), "description": mask(f"{description} ({to})" if to else description)}
