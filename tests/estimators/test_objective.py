"""What is minimized can be computed again by hand, and so can every step."""

import numpy as np
import pytest

from lamina import FeedForwardClassifier, FeedForwardRegressor, Sgd
from lamina.engines.compiled.engine import CompiledEngine
from lamina.exceptions import InvalidValueError
from lamina.network.backpropagation import input_jacobian

PLAIN = Sgd(momentum=0.0, nesterov=False)


def relu(Z):
    """Return max(Z, 0)."""
    return np.maximum(Z, 0.0)


def by_hand(model, X, T, weights, alphas, l1s):
    """Return J, and dJ/dθ as a vector, of a tanh-relu network, in rows and apart from Lamina."""
    X = (X - model.input_scaling_.center) / model.input_scaling_.scale
    (W1, W2, W3), (b1, b2, b3) = model.coefs_, model.intercepts_
    A1 = np.tanh(X @ W1 + b1)
    A2 = relu(A1 @ W2 + b2)
    Z3 = A2 @ W3 + b3
    omega = (weights / weights.sum())[:, np.newaxis]
    if isinstance(model, FeedForwardRegressor):
        J, H3 = np.sum(omega * 0.5 * (Z3 - T) ** 2), omega * (Z3 - T)
    else:
        P = np.exp(Z3 - Z3.max(axis=1, keepdims=True))
        P /= P.sum(axis=1, keepdims=True)
        J, H3 = -np.sum(omega * T * np.log(P)), omega * (P - T)
    H2 = (H3 @ W3.T) * (A2 > 0)
    H1 = (H2 @ W2.T) * (1.0 - A1**2)
    gradient = []
    for W, A, H, alpha, l1 in zip(
        (W1, W2, W3), (X, A1, A2), (H1, H2, H3), alphas, l1s, strict=True
    ):
        J += 0.5 * alpha * np.sum(W**2) + l1 * np.sum(np.abs(W))
        gradient += [(A.T @ H + alpha * W + l1 * np.sign(W)).ravel(), H.sum(axis=0)]
    return J, np.concatenate(gradient)


def cases(table):
    """Yield an estimator class, y, and T as the network sees it, without scaling."""
    yield FeedForwardClassifier, table.three, np.eye(3)[table.three]
    yield FeedForwardRegressor, table.y, table.y[:, np.newaxis]
    yield FeedForwardRegressor, table.targets, table.targets


SETTINGS = {
    "hidden_layer_sizes": (5, 4),
    "activation": ["tanh", "relu"],
    "random_state": 0,
    "solver": PLAIN,
    "batch_size": 60,
    "alpha": [0.1, 0.02, 0.3],
    "l1": [0.0, 0.01, 0.05],
}


def scaled(model, T):
    """Return T in the network's units."""
    if isinstance(model, FeedForwardClassifier):
        return T
    return (T - model.target_scaling_.center) / model.target_scaling_.scale


@pytest.mark.parametrize("case", range(3))
@pytest.mark.parametrize("weighted", [False, True])
def test_objective_and_gradient_can_be_computed_by_hand(case, weighted, table):
    """J and dJ/dθ follow from coefs_, intercepts_ and the scalings by the published formula."""
    kind, y, T = list(cases(table))[case]
    weights = table.weights if weighted else None
    model = kind(max_iter=3, **SETTINGS).fit(table.X, y, weights)
    counted = table.weights if weighted else np.ones(60)
    J, gradient = by_hand(
        model, table.X, scaled(model, T), counted, SETTINGS["alpha"], SETTINGS["l1"]
    )
    assert np.isclose(model.objective(table.X, y, weights), J, rtol=1e-12)
    assert np.allclose(model.gradient(table.X, y, weights), gradient, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("case", range(3))
def test_step_is_what_the_gradient_says(case, table):
    """One step of plain descent on all data moves θ by exactly -rate · gradient, seen at θ_0."""
    kind, y, T = list(cases(table))[case]
    model = kind(max_iter=1, warm_start=True, learning_rate_init=0.05, **SETTINGS)
    model.fit(table.X, y, table.weights)
    theta = model.network_.theta.copy()
    J, gradient = by_hand(
        model, table.X, scaled(model, T), table.weights, SETTINGS["alpha"], SETTINGS["l1"]
    )
    model.fit(table.X, y, table.weights)
    assert np.allclose(model.network_.theta, theta - 0.05 * gradient, rtol=1e-12, atol=1e-15)
    assert np.isclose(model.history_["loss"][1], J, rtol=1e-12)
    assert np.isclose(model.history_["gradient_norm"][1], np.linalg.norm(gradient), rtol=1e-10)
    assert model.history_["learning_rate"] == [0.05, 0.05]


def test_objective_of_lbfgs_is_what_its_history_says(table):
    """The last loss of lbfgs is the objective at the θ that it returns, and it falls."""
    for kind, y, _ in cases(table):
        model = kind(solver="lbfgs", hidden_layer_sizes=(5,), random_state=0, max_iter=20)
        model.fit(table.X, y)
        assert np.isclose(model.loss_, model.objective(table.X, y), rtol=1e-12)
        assert np.all(np.diff(model.loss_curve_) < 0)
        norm = np.linalg.norm(model.gradient(table.X, y))
        assert np.isclose(model.history_["gradient_norm"][-1], norm, rtol=1e-9)


@pytest.mark.parametrize("solver", ["lbfgs", PLAIN])
def test_sample_weights_equal_repetition(solver, table):
    """A row of weight 3 counts like three rows, and one of weight 0 like none, scaling included."""
    counts = np.arange(60) % 4
    rows = np.repeat(np.arange(60), counts)
    for kind, y, _ in cases(table):
        settings = {"hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 5}
        settings |= {} if solver == "lbfgs" else {"batch_size": 200, "learning_rate_init": 0.1}
        weighted = kind(solver=solver, **settings).fit(table.X, y, counts)
        repeated = kind(solver=solver, **settings).fit(table.X[rows], y[rows])
        assert np.allclose(weighted.network_.theta, repeated.network_.theta, rtol=1e-7, atol=1e-9)
        assert np.isclose(
            weighted.objective(table.X, y, counts), repeated.objective(table.X[rows], y[rows])
        )
        scale = repeated.input_scaling_.scale
        assert np.allclose(weighted.input_scaling_.scale, scale, rtol=1e-12)


def test_rows_without_weight_are_absent(table):
    """Rows of weight 0 change nothing, not even the batches: the same bits without them."""
    weights = np.where(np.arange(60) % 3 == 0, 0.0, table.weights)
    kept = weights > 0
    for kind, y, _ in cases(table):
        for early_stopping in (False, True):
            settings = {"random_state": 0, "max_iter": 4, "early_stopping": early_stopping}
            given = kind((5,), batch_size=40, **settings).fit(table.X, y, weights)
            without = kind((5,), batch_size=40, **settings).fit(
                table.X[kept], y[kept], weights[kept]
            )
            assert np.allclose(given.network_.theta, without.network_.theta, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale_inputs", ["standard", "minmax", "none"])
def test_input_gradient_is_the_slope_of_the_outputs(scale_inputs, table):
    """input_gradient agrees with central differences, in units of y and of the inputs."""
    units = np.array([1e3, 1.0, 1e-3]) if scale_inputs != "none" else np.ones(3)
    X, settings = table.X * units, {"max_iter": 30, "scale_inputs": scale_inputs}
    settings |= {"hidden_layer_sizes": (6, 4), "activation": "tanh", "random_state": 0}
    reg = FeedForwardRegressor(**settings)
    two = FeedForwardClassifier(**settings).fit(X, table.two)
    three = FeedForwardClassifier(**settings).fit(X, table.three)
    several = FeedForwardRegressor(**settings).fit(X, table.targets)
    nll = FeedForwardRegressor(loss="gaussian_nll", **settings).fit(X, table.y * 1e4)
    fan = FeedForwardRegressor(loss="quantile((0.2, 0.8))", **settings).fit(X, table.targets)
    for model, answer, shape in (
        (reg.fit(X, table.y * 1e4), reg.predict, (60, 3)),
        (two, lambda X: two.predict_proba(X)[:, 1], (60, 3)),
        (three, three.predict_proba, (60, 3, 3)),
        (several, several.predict, (60, 2, 3)),
        (nll, nll.predict, (60, 3)),
        (fan, fan.predict, (60, 4, 3)),
    ):
        slopes = model.input_gradient(X)
        assert slopes.shape == shape
        for feature, unit in enumerate(units):
            step = 1e-5 * unit * np.eye(3)[feature]
            measured = (answer(X + step) - answer(X - step)) / (2e-5 * unit)
            size = np.abs(measured).max()
            assert np.allclose(slopes[..., feature], measured, rtol=1e-5, atol=1e-6 * size)


@pytest.mark.parametrize("scale_inputs", ["standard", "none"])
@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_input_gradient_is_the_definition(engine, scale_inputs, table, monkeypatch):
    """By either engine it is the Jacobian of the network, in units of the inputs, to rounding."""
    monkeypatch.setenv("LAMINA_ENGINE", engine)
    settings = {"scale_inputs": scale_inputs, "max_iter": 3, "random_state": 0}
    model = FeedForwardClassifier((6, 4), **settings).fit(table.X, table.three)
    scaling, network = model.input_scaling_, model.network_
    X = ((table.X - scaling.center) / scaling.scale).T
    expected = input_jacobian(network.recipe, network.theta, X).transpose(2, 0, 1) / scaling.scale
    assert np.allclose(model.input_gradient(table.X), expected, rtol=1e-12, atol=1e-14)


def test_input_gradient_runs_on_the_engine_and_its_threads(table, monkeypatch):
    """The compiled engine answers with the threads that were asked for, and once for all rows."""
    monkeypatch.setenv("LAMINA_ENGINE", "compiled")
    asked, answer = [], CompiledEngine.input_jacobian

    def noted(engine, theta, X, points):
        asked.append((engine._n_threads, len(points)))
        return answer(engine, theta, X, points)

    monkeypatch.setattr(CompiledEngine, "input_jacobian", noted)
    model = FeedForwardRegressor((6,), n_threads=2, max_iter=2).fit(table.X, table.y)
    model.input_gradient(table.X)
    assert asked == [(2, len(table.X))]


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_input_gradient_beyond_the_numbers_is_refused(engine, table, monkeypatch):
    """A slope that is not finite is an error that names the row, and so is a wrong table."""
    monkeypatch.setenv("LAMINA_ENGINE", engine)
    model = FeedForwardRegressor((6,), activation="identity", max_iter=2).fit(table.X, table.y)
    model.network_.theta[:] = 1e200
    with pytest.raises(InvalidValueError, match="the slope of row 0 of X is too large"):
        model.input_gradient(table.X)
    with pytest.raises(ValueError, match="features"):
        model.input_gradient(table.X[:, :2])


def test_transform_gives_the_activations_of_a_layer(table):
    """Transforming gives A_l of any layer, rows as rows: 0 the scaled inputs, -1 the outputs."""
    model = FeedForwardRegressor(hidden_layer_sizes=(5, 4), activation=["tanh", "relu"], max_iter=3)
    model.fit(table.X, table.y)
    A = model.network_.forward(
        ((table.X - model.input_scaling_.center) / model.input_scaling_.scale).T
    )[1]
    for layer in range(-4, 4):
        assert np.allclose(model.transform(table.X, layer=layer), A[layer].T, rtol=1e-14, atol=0)
    assert np.array_equal(model.transform(table.X), model.transform(table.X, layer=2))
    assert model.transform(table.X).shape == (60, 4)
    outputs = model.transform(table.X, layer=-1)[:, 0]
    assert np.allclose(model.target_scaling_.invert(outputs), model.predict(table.X))


def test_coefficients_have_the_shapes_of_scikit_learn(table):
    """coefs_[l] is S_l × S_{l+1} and intercepts_[l] a vector; both are views of θ."""
    model = FeedForwardClassifier(hidden_layer_sizes=(5, 4), max_iter=2).fit(table.X, table.three)
    assert [W.shape for W in model.coefs_] == [(3, 5), (5, 4), (4, 3)]
    assert [b.shape for b in model.intercepts_] == [(5,), (4,), (3,)]
    assert (model.n_layers_, model.n_outputs_, model.out_activation_) == (4, 3, "softmax")
    assert all(np.shares_memory(W, model.network_.theta) for W in model.coefs_)
    model.intercepts_[-1][2] += 1e3
    assert set(model.predict(table.X)) == {2}


@pytest.mark.parametrize("kind", [FeedForwardClassifier, FeedForwardRegressor])
def test_certificate_of_an_estimator_passes(kind, table):
    """Certifying compares backpropagation with measured derivatives on the user's rows."""
    y = table.three if kind is FeedForwardClassifier else table.y
    model = kind(hidden_layer_sizes=(5,), activation="tanh", max_iter=3).fit(table.X, y)
    certificate = model.certify(table.X, y)
    assert certificate.passed
    assert certificate.n_points == 16
    assert model.network_.certificate is certificate
