"""Options in records: a command takes some records, the command line their fields."""

from __future__ import annotations

import functools
import inspect
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that has every field of its records as an option of its own.

    Parameters
    ----------
    command : function of records
        Each parameter is annotated with a data class; its fields are annotated as typer takes
        the parameters of a command. No two fields have the same name.
    """
    records = {name: record for name, record in get_type_hints(command).items() if name != "return"}
    parameters = {
        name: [_parameter(record, field) for field in fields(record)]
        for name, record in records.items()
    }

    @functools.wraps(command)
    def run(**options: Any) -> None:
        groups = {
            name: record(**{p.name: options[p.name] for p in parameters[name]})
            for name, record in records.items()
        }
        command(**groups)

    everything = [parameter for group in parameters.values() for parameter in group]
    setattr(run, "__signature__", inspect.Signature(everything))  # noqa: B010 - no such attribute to mypy
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in everything}
    return run


def _parameter(record: Any, field: Any) -> inspect.Parameter:
    """Return a field as the parameter of a command."""
    annotation = get_type_hints(record, include_extras=True)[field.name]
    default = inspect.Parameter.empty if field.default is MISSING else field.default
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(field.name, kind, default=default, annotation=annotation)
