"""What pages of ours share: one file that needs nothing else, words of others masked and escaped, and their looks."""

import base64
import hashlib
from dataclasses import fields, is_dataclass, replace
from importlib.resources import files
from typing import Any, TypeVar

from jinja2 import Environment, FunctionLoader
from markupsafe import Markup as SafeHtml
from pydantic import BaseModel

from flows.core.insight.stability.words import shown_count, shown_value, web_address
from flows.tasks.runs.log_masking import mask

T = TypeVar("T")


def rendered(name: str, *, script: str = "", **values: Any) -> str:
    """A page, as HTML. Its template extends `shell.html`; no script runs but this one, and nothing is loaded.

    Args:
        name: of the template in this folder.
        script: a script of ours.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page: str = _environment().get_template(name).render(
        script=SafeHtml(script), script_hash=f"'sha256-{digest}'" if script else "'none'", **values  # noqa: S704 — ours
    )  # fmt: skip
    return page


def masked(value: T) -> T:
    """The value without secrets, and without what a terminal would obey, in any of its words."""
    found: Any = value
    if isinstance(value, str):
        found = mask(value)
    elif isinstance(value, list | tuple):
        found = type(value)(map(masked, value))
    elif isinstance(value, dict):
        found = {masked(key): masked(item) for key, item in value.items()}
    elif isinstance(value, BaseModel):
        found = value.model_copy(update={name: masked(getattr(value, name)) for name in type(value).model_fields})
    elif is_dataclass(value) and not isinstance(value, type):
        found = replace(value, **{one.name: masked(getattr(value, one.name)) for one in fields(value)})
    return found  # type: ignore[no-any-return]


def _environment() -> Environment:
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_template)
    )  # fmt: skip
    environment.filters["moment"] = lambda text: str(text or "")[:16].replace("T", " ")
    environment.filters |= {"value": shown_value, "counted": shown_count, "web": web_address}
    environment.filters["seconds"] = lambda value: shown_value(value, "s")
    return environment


def _template(name: str) -> str:
    return files(__package__).joinpath(name).read_text()
