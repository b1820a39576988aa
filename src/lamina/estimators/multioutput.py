"""Classes of several targets at once: a softmax block for each in T and A_L."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.data.columns import Columns
from lamina.estimators.labels import find_codes, sort_classes
from lamina.estimators.targets import as_target
from lamina.exceptions import InvalidValueError
from lamina.network.blocks import BlockError, parted
from lamina.network.errors import get_error

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Choices:
    """How the classes of K targets stand in T and A_L, one block of rows for each target.

    Attributes
    ----------
    classes : list of K arrays
        The classes of each target, sorted.
    error : BlockError
    """

    classes: list[Array]
    error: BlockError

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of classes of each target."""
        return tuple(map(len, self.classes))

    @property
    def n_outputs(self) -> int:
        """S_L, all classes of all targets."""
        return sum(self.sizes)

    def encode(self, y: Array, dtype: npt.DTypeLike) -> Columns:
        """Return y, N × K, as T, S_L × N.

        Raises
        ------
        InvalidValueError
            If y has another number of targets, or a label that is no class.
        """
        K = len(self.classes)
        if y.ndim != 2 or y.shape[1] != K:
            message = f"y must be a table of {K} targets, as before; got an array of {y.shape}"
            raise InvalidValueError(message)
        columns = map(as_target, y.T)
        codes = [find_codes(c, column) for c, column in zip(self.classes, columns, strict=True)]
        hits = [c[:, np.newaxis] == np.arange(S) for c, S in zip(codes, self.sizes, strict=True)]
        return Columns(np.concatenate(hits, axis=1), None, dtype)

    def decode(self, outputs: Array) -> Array:
        """Return the classes of each row of outputs, N × K; objects if targets differ in type."""
        blocks = parted(self.sizes, outputs.T)
        chosen = [c[block.argmax(axis=0)] for c, block in zip(self.classes, blocks, strict=True)]
        kinds = {column.dtype.kind for column in chosen}
        if len(kinds) > 1:
            chosen = [column.astype(object) for column in chosen]
        return np.column_stack(chosen)

    def probabilities(self, outputs: Array, activation: str) -> list[Array]:
        """Return the probabilities of each target's classes: K arrays of N × n_classes."""
        del activation  # a softmax or its logarithm: what is no probability has another name
        rows = np.exp(outputs) if "log_softmax" in self.error.output_activation else outputs
        return [np.ascontiguousarray(block.T) for block in parted(self.sizes, rows.T)]

    def accuracy(self, T: Array, A: Array) -> float:
        """Return the share of data points with all targets right; T and A are S_L × n."""
        blocks = zip(parted(self.sizes, T), parted(self.sizes, A), strict=True)
        return float(
            np.mean(np.all([t.argmax(axis=0) == a.argmax(axis=0) for t, a in blocks], axis=0))
        )


def learn_choices(y: Array) -> list[Array]:
    """Return the classes of each column of y, N × K."""
    return [sort_classes(as_target(column)) for column in y.T]


def choose_choices(classes: list[Array], *, loss: Any, output: Any) -> Choices:
    """Return how classes of several targets are learned, with the loss and output asked for.

    Raises
    ------
    InvalidValueError
        If the loss is none of a softmax, or another output activation is asked for.
    """
    error = get_error("cross_entropy" if isinstance(loss, str) and loss == "auto" else loss)
    if "softmax" not in error.output_activation or error.outputs_per_target != 1:
        message = (
            f"y has several targets with classes, each of which has a softmax block, and {error!r} "
            "suits none; use loss='cross_entropy'"
        )
        raise InvalidValueError(message)
    if not isinstance(output, str) or output != "auto":
        message = (
            f"y has several targets with classes, each of which has a softmax block; "
            f"output_activation={output!r} cannot be honored, leave it 'auto'"
        )
        raise InvalidValueError(message)
    return Choices(classes, BlockError(error, tuple(map(len, classes))))


def announce(classes: Any, known: Any) -> Any:
    """Return the classes that there will be, sorted, or None; refuse others than before.

    Of several targets a list, with the classes of each.

    Raises
    ------
    InvalidValueError
        If they are not the classes that are known.
    """
    if classes is None:
        return None
    several = are_several(classes)
    announced = [sort_classes(row) for row in classes] if several else sort_classes(classes)
    same = known is None or isinstance(known, list) == several
    if several and same and known is not None:
        same = len(announced) == len(known) and all(map(np.array_equal, announced, known))
    if not several and same and known is not None:
        same = np.array_equal(announced, known)
    if not same:
        message = f"classes were {known} in the first call and are {announced} now"
        raise InvalidValueError(message)
    return announced


def are_several(classes: Any) -> bool:
    """Return whether classes are those of several targets: a list of lists or arrays."""
    return isinstance(classes, (list, tuple)) and len(classes) > 0 and all(map(_is_row, classes))


def _is_row(entry: Any) -> bool:
    """Return whether an entry is a row of labels, and no label."""
    return not isinstance(entry, str) and np.ndim(entry) == 1
