"""Dates and times as numbers and codes that a network can learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

PARTS = {
    "year": 0,
    "season_sin": 0,
    "season_cos": 0,
    "day": 0,
    "weekday": 7,
    "hour": 24,
    "minute": 0,
}
"""The parts of a time: 0 for a number, else the number of its codes 0..K-1.

`year` is the time in years, such as 2017.43; `season` the place in the year on a circle; `day` the
day of the month from 1; `weekday` counts from Monday; `minute` goes from 0 up to 60, with seconds.
"""


def calendar(times: Array) -> dict[str, Array]:
    """Return the parts of times in microseconds, float64, NaN where a time is missing.

    Examples
    --------
    >>> parts = calendar(np.array(["2024-05-31T14:30"], dtype="datetime64[us]"))
    >>> [float(parts[name][0]) for name in ("year", "day", "weekday", "hour", "minute")]
    [2024.414, 31.0, 4.0, 14.0, 30.0]
    """
    missing = np.isnat(times)
    days, years = times.astype("datetime64[D]"), times.astype("datetime64[Y]")
    microseconds = (times - days).astype(np.int64)
    place = (times - years.astype(times.dtype)).astype(np.int64)
    length = ((years + 1).astype(times.dtype) - years.astype(times.dtype)).astype(np.int64)
    angle = 2.0 * np.pi * place / np.where(missing, 1, length)
    hours, rest = np.divmod(microseconds, 3_600_000_000)
    parts = {
        "year": 1970.0 + years.astype(np.int64) + place / np.where(missing, 1, length),
        "season_sin": np.sin(angle),
        "season_cos": np.cos(angle),
        "day": (days - times.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1,
        "weekday": (days.astype(np.int64) + 3) % 7,
        "hour": hours,
        "minute": rest / 60_000_000,
    }
    return {name: np.where(missing, np.nan, part) for name, part in parts.items()}
