"""How a user's table is read: where it stands, and which kernel gathers its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lamina.engines.compiled import gathering
from lamina.engines.compiled import layout as at

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.compiled.kernels import Kernel
    from lamina.engines.compiled.plan import Plan
    from lamina.engines.protocol import Source
    from lamina.engines.sources import CellSource, SparseSource, TableSource

    Array = npt.NDArray[Any]
    Reading = tuple[Kernel, tuple[int, int, int, int], Any]
    """A kernel, its four arguments about the table, and what must be kept alive for them."""


def take_table(plan: Plan, name: str, source: Source) -> None:
    """Note where the table of a source stands, X or T, and which kernel gathers its rows."""
    world, start = plan.world, at.X_ROWS if name == "X" else at.T_ROWS
    plan.kept["data"] = None
    if hasattr(source, "expansion"):
        kernel, places, kept = _read_cells(plan, cast("CellSource", source))
    elif hasattr(source, "starts"):
        kernel, places, kept = _read_sparse(plan, cast("SparseSource", source))
    else:
        kernel, places, kept = _read_table(plan, cast("TableSource", source))
    plan.kept[name] = kept
    world[start - 1] = kernel.address
    world[start : start + 4] = places


def _read_table(plan: Plan, source: TableSource) -> Reading:
    """Return how rows of numbers, or codes of classes, are read."""
    rows, classes = _readable(source.rows), source.classes
    if classes is not None:
        kernel = _kernel(plan, gathering.gather_classes, SOURCE=rows.dtype.type(0))
        table: Array | None = np.array(classes[1:], dtype=float)
    else:
        kernel = _kernel(plan, gathering.gather, SOURCE=rows.dtype.type(0))
        table = None if source.scaling is None else _factors(*source.scaling)
    place = 0 if table is None else int(table.ctypes.data)
    return kernel, (*_strides(rows), place), (rows, table)


def _read_cells(plan: Plan, source: CellSource) -> Reading:
    """Return how cells that become features are read."""
    rows, expansion = _readable(source.cells), source.expansion
    clipped = expansion.clip < float("inf")
    kind = rows.dtype.type(0)
    kernel = _kernel(plan, gathering.gather_cells, SOURCE=kind, CLIPPED=clipped)
    runs = _runs(expansion.levels, expansion.indicator)
    factors = _factors(expansion.scaling.center, expansion.scaling.scale)
    clip = np.array([expansion.clip], dtype=float)
    table = np.array([len(runs), *(int(part.ctypes.data) for part in (runs, factors, clip))])
    place = int(table.ctypes.data)
    return kernel, (*_strides(rows), place), (rows, runs, factors, clip, table)


def _read_sparse(plan: Plan, source: SparseSource) -> Reading:
    """Return how rows of a sparse table are read."""
    values, starts, columns = _readable(source.values), source.starts, source.places
    values, columns = np.ascontiguousarray(values), np.ascontiguousarray(columns)
    kinds = {"SOURCE": values.dtype.type(0), "INDEX": columns.dtype.type(0)}
    kernel = _kernel(plan, gathering.gather_sparse, **kinds)
    table = None if source.scaling is None else _factors(*source.scaling)
    parts = int(values.ctypes.data), int(starts.ctypes.data), int(columns.ctypes.data)
    place = 0 if table is None else int(table.ctypes.data)
    return kernel, (*parts, place), (values, starts, columns, table)


def _kernel(plan: Plan, template: Any, **given: Any) -> Kernel:
    """Return a kernel that gathers; asking for it again takes a microsecond."""
    key = template, *((type(value), value) for value in given.values())
    if key not in plan.gatherers:
        plan.gatherers[key] = plan.kernels.make(template, reorder=False, **given)
    return plan.gatherers[key]


def _readable(rows: Array) -> Array:
    """Return a table whose numbers a kernel can read; those that none can are copied."""
    if rows.dtype == bool:
        return rows.view(np.uint8)
    native = rows.dtype.isnative and rows.dtype.kind in "fiu" and rows.dtype.itemsize <= 8
    return rows if native and rows.dtype != np.float16 else rows.astype(np.float64)


def _strides(rows: Array) -> tuple[int, int, int]:
    """Return where a table stands, and the bytes to the next row and to the next column."""
    columns = rows.strides[1] if rows.ndim == 2 and rows.shape[1] > 1 else rows.itemsize
    return int(rows.ctypes.data), rows.strides[0], columns


def _factors(center: Array, scale: Array) -> Array:
    """Return centers and 1 / scale in two factors, for that alone may be beyond float64."""
    lift = np.ldexp(1.0, -(np.frexp(scale)[1] // 2))
    return np.stack([center, lift, 1.0 / (scale * lift)])


def _runs(levels: Array, indicator: Array) -> Array:
    """Return runs of cells that are expanded alike: kind, first cell, first feature, and count.

    Neighboring numbers are one run; a number with an indicator, and a category, are one each, and
    the count of a category is that of its levels.
    """
    runs: list[list[int]] = []
    feature = 0
    for cell, (K, flagged) in enumerate(zip(levels.tolist(), indicator.tolist(), strict=True)):
        kind = gathering.LEVELS if K else gathering.FLAGGED if flagged else gathering.NUMBERS
        if runs and kind == runs[-1][0] == gathering.NUMBERS:
            runs[-1][3] += 1
        else:
            runs.append([kind, cell, feature, K or 1])
        feature += K or 1 + flagged
    return np.array(runs, dtype=np.int64).reshape(-1, 4)
