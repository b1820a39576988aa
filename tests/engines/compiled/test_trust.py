"""The compiled engine is compared with the reference, and not used where it differs."""

import numpy as np
import pytest

from lamina.engines import choice
from lamina.engines.compiled import trust
from lamina.engines.reference import ReferenceEngine
from lamina.exceptions import EngineWarning
from lamina.network.network import Network

PRECISIONS = ["float32", "float64"]


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_engines_differ_by_rounding(dtype):
    """On the small network both engines give the same gradient to some eps."""
    assert 0 < trust.measure(np.dtype(dtype)) < 200 * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("gap", [1e-2, np.nan])
def test_engine_that_differs_is_not_used(gap, dtype, tmp_path, monkeypatch):
    """A gap, NaN too, is told with its size, nothing is noted in the cache, and NumPy is used."""
    monkeypatch.setenv("LAMINA_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("LAMINA_ENGINE", "auto")
    monkeypatch.setattr(trust, "measure", lambda _: gap)
    choice.can_compile.cache_clear()
    recipe = Network([2, 3, 1], ["tanh"], random_state=0).recipe
    try:
        with pytest.warns(EngineWarning, match=rf"differs from the reference by {gap:.1e}"):
            engine = choice.make_engine(recipe, dtype)
    finally:
        choice.can_compile.cache_clear()
    assert isinstance(engine, ReferenceEngine)
    assert not list(tmp_path.iterdir())


def test_trust_is_kept_for_each_precision(tmp_path, monkeypatch):
    """What agreed once is not measured again, but the other precision is."""
    monkeypatch.setenv("LAMINA_CACHE_DIR", str(tmp_path))
    measured = []
    monkeypatch.setattr(trust, "measure", lambda dtype: measured.append(dtype) or 0.0)
    for dtype in [*PRECISIONS, *PRECISIONS]:
        assert trust.agrees(np.dtype(dtype))
    assert measured == [np.float32, np.float64]
