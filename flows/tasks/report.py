"""Words for people in the Prefect UI: tables and summaries as artifacts."""

from collections.abc import Iterable, Sequence

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.core.images import slug
from flows.core.probes import Outcome


def table(key: str, rows: Sequence[dict[str, object]], description: str) -> None:
    """Show rows as a table artifact."""
    create_table_artifact([dict(row) for row in rows], key=_key(key), description=description)


def markdown(key: str, text: str, description: str) -> None:
    create_markdown_artifact(text, key=_key(key), description=description)


def probe_rows(outcomes: Iterable[Outcome]) -> list[dict[str, object]]:
    """One row a probe: colour first, for the eye."""
    return [
        {
            "": "🟢" if outcome.passed else "🔴",
            "service": outcome.service,
            "probe": outcome.phase.value,
            "found": outcome.detail,
            "seconds": f"{outcome.seconds:.2f}",
        }
        for outcome in outcomes
    ]


def _key(text: str) -> str:
    """Artifact keys take lower-case letters, digits and dashes."""
    return slug(text).replace(".", "-").replace("_", "-")
