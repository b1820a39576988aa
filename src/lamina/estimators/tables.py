"""Tables as users have them, as the columns that a network is trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted

from lamina.data.columns import Columns
from lamina.data.encoded_columns import Column, LearnedColumns
from lamina.data.encoding import learn_columns, scale_encoding
from lamina.data.expansion import Expanded, Expansion
from lamina.data.scaling import INPUT_METHODS, fit_scaling
from lamina.data.sparse import SparseRows, fit_sparse_scaling
from lamina.data.streaming import ParquetRows
from lamina.data.table import Table
from lamina.estimators.rows import numbers
from lamina.estimators.streamed import cells_of, learn_parts
from lamina.exceptions import InvalidTypeError, InvalidValueError

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.data.encoding import Encoding
    from lamina.data.scaling import Scaling
    from lamina.engines.protocol import Source
    from lamina.estimators.rows import Rows
    from lamina.network.network import Network

    Array = npt.NDArray[Any]


class WithTables:
    """What an estimator learns of the columns of a table, and makes of its rows."""

    column_kinds: Any
    scale_inputs: str
    network_: Network
    input_scaling_: Scaling
    n_features_in_: int
    encoding_: Encoding | None = None

    def _learn_inputs(self, X: Rows, weights: Array | None) -> None:
        """Learn how the columns are encoded and scaled; rows of weight 0 do not count.

        Raises
        ------
        LaminaError
            If a column cannot be used, or a parameter does not fit X.
        """
        values, method = X.values, self.scale_inputs
        self.encoding_ = None
        check_input_scaling(method)
        if sparse.issparse(values):
            if self.column_kinds is not None or method == "robust":
                message = (
                    "X is sparse, so column_kinds and scale_inputs='robust' cannot be honored; "
                    "use a dense table, as X.toarray()"
                )
                raise InvalidValueError(message)
            self.input_scaling_ = fit_sparse_scaling(method, values, weights)
        elif (
            isinstance(values, (Table, ParquetRows))
            or X.missing
            or self.column_kinds
            or method == "robust"
        ):
            if isinstance(values, ParquetRows):
                unscaled = learn_parts(values, self.column_kinds, weights)
                X.cells = cells_of(values, unscaled, numbers)
            else:
                unscaled = learn_columns(values, self.column_kinds, weights)
                X.cells = unscaled.cells(values)
            self.encoding_ = scale_encoding(unscaled, X.cells, method, weights)
            self.input_scaling_ = self.encoding_.scaling
        else:
            self.input_scaling_ = fit_scaling(method, values, weights)

    def _columns(self, X: Rows) -> Source:
        """Return rows as scaled columns."""
        scaling, dtype, encoding = self.input_scaling_, self.network_.dtype, self.encoding_
        if encoding is None and type(X.values) is np.ndarray and not X.missing:
            return Columns(X.values, scaling, dtype)
        expansion = self._expansion()
        if sparse.issparse(X.values):
            if encoding is not None:
                message = "the estimator was trained on a dense table; use X.toarray()"
                raise InvalidTypeError(message)
            return SparseRows.of(X.values, scaling, dtype)
        if isinstance(X.values, ParquetRows):
            return Expanded(cells_of(X.values, encoding, numbers), expansion, dtype)
        if X.cells is not None:
            cells = X.cells
        elif encoding is None:
            cells = numbers(X.values) if isinstance(X.values, Table) else X.values
        else:
            cells = encoding.cells(_named_as(encoding, X.values))
        copied = cells is not X.values
        missing = bool(np.isnan(cells).any()) if copied else X.missing
        if missing or not is_affine(expansion):
            return Expanded(cells, expansion, dtype)
        return Columns(cells, scaling, dtype)

    def _expansion(self) -> Expansion:
        """Return how cells become features; without an encoding each number is one."""
        if self.encoding_ is not None:
            return self.encoding_.expansion()
        S = len(self.input_scaling_.center)
        return Expansion(np.zeros(S, dtype=int), np.zeros(S, dtype=bool), self.input_scaling_)

    def _slopes_in_inputs(self, slopes: Array, columns: Source) -> Array:
        """Return slopes in the features, N × S_L × S_0, in the units of the inputs."""
        expansion = self._expansion()
        if isinstance(columns, Expanded) and np.isfinite(expansion.clip):
            clipped = columns.take(slice(None)).T / expansion.clip
            bent = np.where(expansion.is_number, (1.0 - clipped**2) ** 1.5, 1.0)
            slopes = slopes * bent[:, np.newaxis]
        return np.asarray(slopes / self.input_scaling_.scale)

    @property
    def columns_(self) -> LearnedColumns:
        """What was learned of each column of X; printed, a line for each."""
        check_is_fitted(self, "network_")
        if self.encoding_ is not None:
            return self.encoding_.columns
        names = getattr(self, "feature_names_in_", [f"x{i}" for i in range(self.n_features_in_)])
        return LearnedColumns(Column(str(name), "numeric") for name in names)


def check_input_scaling(method: Any) -> None:
    """Refuse a way to scale inputs that there is not.

    Raises
    ------
    InvalidValueError
        If it is none of `INPUT_METHODS`.
    """
    if method not in INPUT_METHODS:
        message = f"scale_inputs must be one of {', '.join(INPUT_METHODS)}; got {method!r}"
        raise InvalidValueError(message)


def is_affine(expansion: Expansion) -> bool:
    """Return whether features are scaled cells, as long as none is missing."""
    plain = not expansion.levels.any() and not expansion.indicator.any()
    return plain and not np.isfinite(expansion.clip)


def _named_as(encoding: Encoding, values: Table | Array) -> Table | Array:
    """Return a table with the names of training, where it has others that were accepted."""
    if not isinstance(values, Table) or set(encoding.names) <= set(values.names):
        return values
    return Table(encoding.names, values.columns)
