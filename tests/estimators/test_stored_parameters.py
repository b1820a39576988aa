"""Parameters that no fit could use: refused where a file is read, and where one is written."""

import copy

import numpy as np
import pytest

import lamina
from lamina import FeedForwardClassifier, FeedForwardRegressor
from lamina.exceptions import LaminaError, ModelFileError
from lamina.interchange.container import Document, read, write

SMALL = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
WRONG = {
    "dtype": "float16x",
    "solver": "adma",
    "learning_rate": "cosinus",
    "max_iter": -3,
    "batch_size": "all",
    "activation": "rleu",
    "hidden_layer_sizes": "8",
    "alpha": -1.0,
    "dropout": 2.0,
    "loss": "squard",
    "scale_inputs": "zscore",
    "random_state": "seven",
    "warm_start": "no",
    "validation_fraction": 3.0,
}


@pytest.fixture(params=[FeedForwardClassifier, FeedForwardRegressor])
def model(request, table):
    """Return a small fitted estimator."""
    y = table.three if request.param is FeedForwardClassifier else table.y
    return request.param(**SMALL).fit(table.X, y)


@pytest.mark.parametrize("name", WRONG)
def test_forged_parameter_is_refused_at_load(name, model, tmp_path):
    """A file with right digests and a parameter that makes no sense is no model file."""
    model.save(tmp_path / "sound")
    document = read(tmp_path / "sound")
    metadata = copy.deepcopy(document.metadata)
    metadata["parameters"][name] = WRONG[name]
    write(tmp_path / "forged", Document(document.kind, metadata, document.tensors))
    with pytest.raises(ModelFileError, match="model file cannot be used"):
        lamina.load(tmp_path / "forged")


@pytest.mark.parametrize("name", WRONG)
def test_what_could_not_be_loaded_is_not_saved(name, model, tmp_path):
    """A parameter that was set to nonsense after the fit is refused before anything is written."""
    model.set_params(**{name: WRONG[name]})
    with pytest.raises(LaminaError):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_other_parameters_than_those_of_the_fit_are_kept(model, table, tmp_path):
    """Parameters may have changed since the fit, if they make sense; the network stays."""
    changed = {"hidden_layer_sizes": (7, 7), "dtype": "float32", "max_iter": 9, "alpha": 0.5}
    model.set_params(**changed).save(tmp_path / "model")
    loaded = lamina.load(tmp_path / "model")
    assert {name: loaded.get_params()[name] for name in changed} == changed
    assert np.array_equal(loaded.predict(table.X), model.predict(table.X))
