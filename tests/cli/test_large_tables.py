"""`lamina train` on Parquet files that are not read into memory gives what it gives in memory."""

import numpy as np
import pandas as pd
import pytest

import lamina
from lamina.data import streaming

pytest.importorskip("pyarrow", reason="Parquet files are read by pyarrow")
N = 400
OPTIONS = ("--hidden", "6", "--max-iter", "5", "--json", "--drop", "spare")


@pytest.mark.parametrize("target", ["price", "tree"])
def test_large_file_trains_as_a_small_one(target, run, tmp_path, monkeypatch):
    """File, large file and folder: the same rows held out, network and measures, bit for bit."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {"size": random.normal(size=N), "spare": 1, "age": random.integers(9, size=N)}
    )
    table["tree"] = np.where(table["age"] > random.integers(9, size=N), "oak", "elm")
    table["price"] = table["size"] ** 2 + table["age"]
    table.loc[::30, ["size", target]] = None
    (tmp_path / "parts").mkdir()
    table.to_parquet(tmp_path / "all.parquet")
    table.iloc[:150].to_parquet(tmp_path / "parts" / "a.parquet")
    table.iloc[150:].to_parquet(tmp_path / "parts" / "b.parquet", row_group_size=70)
    monkeypatch.setattr(streaming, "MOST", 60)
    monkeypatch.setattr(streaming, "LEAST", 60)
    thetas, metrics = [], []
    for name, large in (("all.parquet", 2**27), ("all.parquet", 100), ("parts", 2**27)):
        monkeypatch.setattr(streaming, "LARGE", large)
        out = tmp_path / f"{name}-{large}.lamina"
        result = run("train", tmp_path / name, "--target", target, "--out", out, *OPTIONS)
        assert result.code == 0, result.err
        thetas.append(lamina.load(out).network_.theta)
        metrics.append(result.document["metrics"])
        assert result.document["features"] == [
            "size",
            "age",
            "price" if target == "tree" else "tree",
        ]
    for theta, measured in zip(thetas[1:], metrics[1:], strict=True):
        np.testing.assert_array_equal(theta, thetas[0])
        assert measured == metrics[0]
