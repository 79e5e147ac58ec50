"""What Prefect's API answers, as values of the types that it has to be."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from blocks.errors import PrefectFailed
from flows.api.client import PrefectApi

Model = TypeVar("Model", bound=BaseModel)


def read_list(said: Any, api: PrefectApi) -> list[Any]:
    """The list that was answered. Raises PrefectFailed where it is none."""
    if not isinstance(said, list):
        raise PrefectFailed(f"what answers at {api.connection.url} is not Prefect's API")
    return said


def read_model(model: type[Model], said: Any, api: PrefectApi) -> Model:
    """What was answered, as this model has it. Raises PrefectFailed where it is something else."""
    try:
        return model.model_validate(said)
    except ValidationError:
        raise PrefectFailed(
            f"what answers at {api.connection.url} is not Prefect's API: no {model.__name__.lower()} as it has them"
        ) from None
