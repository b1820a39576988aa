"""Columns as a data frame of whichever library is there."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.exceptions import InvalidValueError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

BACKENDS = ("pandas", "polars", "pyarrow")
"""The libraries that a frame can be of."""


def make_frame(columns: Mapping[str, Any], backend: str | None = None) -> Any:
    """Return columns of equal length as a data frame.

    Parameters
    ----------
    columns : mapping of name to array or list
    backend : {"pandas", "polars", "pyarrow"}, optional
        The library of the frame; the first of these that is installed by default.

    Raises
    ------
    InvalidValueError
        If `backend` is another word.
    MissingDependencyError
        If that library is not installed, or none is.
    """
    import narwhals as nw

    if backend is not None and backend not in BACKENDS:
        message = f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}"
        raise InvalidValueError(message)
    found = [name for name in BACKENDS if find_spec(name)]
    if not found or (backend is not None and backend not in found):
        wanted = backend or "pandas, polars or pyarrow"
        message = f"this data frame needs {wanted}: pip install 'lamina[tables]'"
        raise MissingDependencyError(message)
    library: Any = backend or found[0]
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    texts = {name for name, array in arrays.items() if array.dtype.kind in "OU"}
    plain = {name: a.tolist() if name in texts else a for name, a in arrays.items()}
    return nw.from_dict(plain, backend=library).to_native()
