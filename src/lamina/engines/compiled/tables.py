"""How a user's table is read: where it stands, and which kernel gathers its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.engines.compiled import gathering
from lamina.engines.compiled import layout as at

if TYPE_CHECKING:
    import numpy.typing as npt

    from lamina.engines.compiled.kernels import Kernel
    from lamina.engines.compiled.plan import Plan
    from lamina.engines.protocol import Source

    Array = npt.NDArray[Any]


def take_table(plan: Plan, name: str, source: Source) -> None:
    """Note where the table of a source stands, X or T, and which kernel gathers its rows."""
    world, start = plan.world, at.X_ROWS if name == "X" else at.T_ROWS
    plan.kept["data"] = None
    rows = _readable(source.rows)
    kernel, affine = _gatherer(plan, rows, source.scaling, source.classes)
    plan.kept[name] = (rows, affine)
    columns = rows.strides[1] if rows.ndim == 2 and rows.shape[1] > 1 else rows.itemsize
    world[start - 1] = kernel.address
    world[start : start + 4] = (
        rows.ctypes.data,
        rows.strides[0],
        columns,
        0 if affine is None else affine.ctypes.data,
    )


def _readable(rows: Array) -> Array:
    """Return a table whose numbers a kernel can read; those that none can are copied."""
    if rows.dtype == bool:
        return rows.view(np.uint8)
    native = rows.dtype.isnative and rows.dtype.kind in "fiu" and rows.dtype.itemsize <= 8
    return rows if native and rows.dtype != np.float16 else rows.astype(np.float64)


def _gatherer(plan: Plan, rows: Array, scaling: Any, classes: Any) -> tuple[Kernel, Array | None]:
    """Return the kernel that gathers rows of a table, and the numbers it maps them by."""
    template = gathering.gather if classes is None else gathering.gather_classes
    key = template, rows.dtype.char
    if key not in plan.gatherers:
        source = rows.dtype.type(0)
        plan.gatherers[key] = plan.kernels.make(template, reorder=False, SOURCE=source)
    if classes is not None:
        return plan.gatherers[key], np.array(classes[1:], dtype=float)
    affine = None
    if scaling is not None:  # in two factors, for 1 / scale alone may be beyond float64
        center, scale = scaling
        lift = np.ldexp(1.0, -(np.frexp(scale)[1] // 2))
        affine = np.stack([center, lift, 1.0 / (scale * lift)])
    return plan.gatherers[key], affine
