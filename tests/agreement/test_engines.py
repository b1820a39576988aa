"""The compiled engine gives what the reference engine gives, but for rounding.

Differences are measured in eps of the largest entry. A sum of k terms may be off by k eps in
either engine; what follows it multiplies that by its condition, of order 1 here.
"""

import numpy as np
import pytest

from lamina.engines.protocol import Epoch
from lamina.network.activations import ACTIVATIONS, get_activation
from lamina.network.errors import ERRORS, get_error
from lamina.training.solvers import get_solver

PRECISIONS = ["float64", "float32"]
TERMS = 8
"""Units of a layer at most, in networks that are about formulas."""
PARAMETRIZED = ["leaky_relu(0.2)", "elu(0.7)", "sine(2.5)", "inverse_square_root(0.6)"]
UNFUSED = {  # an output activation that is in the error's domain, but not its partner
    "blocks": "logistic",
    "cross_entropy": "logistic",
    "kl_divergence": "logistic",
    "negative_log_likelihood": "tanh",
    "binary_cross_entropy": "softmax",
    "poisson": "softplus",
    "gamma": "softplus",
    "tweedie": "softplus",
    "tweedie(1.2)": "softplus",
}
VARIANTS = ["huber(0.3)", "tweedie(1.2)", "quantile(0.9)", "quantile((0.1, 0.5, 0.9))"]


def allowed(terms, n):
    """Return the eps that sums of so many terms, then of n data points, may differ by."""
    return 8 * (terms + np.sqrt(n))


def check(agreement, case, terms=TERMS):
    """Compare both engines on the first data points of a problem, weighted and not."""
    for n in agreement.COUNTS:
        for weighted in (True, False):
            found = agreement.gaps(case, case.data(np.arange(n), weighted=weighted))
            for what, gap in found.items():
                assert gap <= allowed(terms, n), f"{what} of {n} points: {gap:.0f} eps"


def formulas(registry, variants):
    """Return all names of a registry as built, and some with parameters."""
    return [name for name in registry.names() if registry.is_builtin(name)] + variants


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", formulas(ACTIVATIONS, PARAMETRIZED))
def test_activation_agrees(name, dtype, agreement):
    """Hidden and as output, with penalties: outputs, error, J and gradient are the same."""
    penalties = [
        agreement.Penalty(l1=0.01),
        agreement.Penalty(l2=0.1, biases=True),
        agreement.Penalty(l1=0.02, l2=0.03, biases=True),
    ]
    layers = [name, "tanh", name]  # not straight on top of itself: e^(e^z) magnifies rounding
    case = agreement.pose([3, 8, 5, 4], layers, "squared", dtype, penalties=penalties)
    check(agreement, case)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", formulas(ERRORS, VARIANTS))
def test_error_agrees(name, dtype, agreement):
    """With its natural output activation, as a pair where there is one, all answers agree."""
    case = agreement.pose([3, 8, 6], ["tanh"], name, dtype)
    assert (case.net.recipe.pair is not None) == (name in UNFUSED)
    check(agreement, case)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", sorted(UNFUSED))
def test_unfused_error_agrees(name, dtype, agreement):
    """With an output activation that is not its partner, all answers agree."""
    case = agreement.pose([3, 8, 6], ["tanh", UNFUSED[name]], name, dtype)
    assert case.net.recipe.pair is None
    check(agreement, case)


def test_every_pair_is_compared_apart_too():
    """Each error that is fused with its partner is in the list of those to compare unfused."""
    named = {name for name in formulas(ERRORS, VARIANTS) if fused(get_error(name))}
    assert named == set(UNFUSED)


def fused(error):
    """Return whether an error and its natural output activation are a pair."""
    return error.seen_from(get_activation(error.output_activation)) is not None


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(
    "sizes",
    [
        (1, 1),
        (5, 1, 1),
        (3, 200, 1),
        (2, 1100, 3),
        (17, 8, 16, 9, 7),
        (300, 70, 33, 17, 9),
        (1500, 20, 300),
        (784, 128, 10),
        (50, 256, 256, 2),
    ],
    ids=str,
)
def test_shape_agrees(sizes, dtype, agreement):
    """However wide or narrow layers are, copied in products or not, all answers agree."""
    hidden = ["tanh"] * (len(sizes) - 2)
    penalty = agreement.Penalty(l2=0.01, biases=True)
    case = agreement.pose(list(sizes), hidden, "squared", dtype, penalties=penalty)
    check(agreement, case, terms=np.sqrt(max(sizes)))


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("classes", [1, 2, 100, 2731, 9000])
def test_any_number_of_classes_agrees(classes, dtype, agreement):
    """A softmax over few or many thousand classes agrees, fused and not."""
    for activations in ([], ["log_softmax"]):
        error = "cross_entropy" if not activations else "squared"
        case = agreement.pose([2, classes], activations, error, dtype, n=33)
        for n in (1, 33):
            for what, gap in agreement.gaps(case, case.data(np.arange(n))).items():
                assert gap <= allowed(np.sqrt(classes), n), f"{what} of {n} points: {gap:.0f} eps"


def test_full_pass_agrees_beyond_a_block(agreement):
    """More data points than are evaluated together, some chosen twice, agree."""
    case = agreement.pose([6, 40, 30, 3], ["tanh", "relu"], "huber", "float64", n=10_000)
    points = np.random.default_rng(1).integers(10_000, size=9_001)
    for what, gap in agreement.gaps(case, case.data(points)).items():
        assert gap <= allowed(40, len(points)), f"{what}: {gap:.0f} eps"


def test_no_points_give_no_outputs(agreement):
    """Outputs of no data points are a matrix without columns."""
    case = agreement.pose([3, 5, 2], ["tanh"], "squared", "float64")
    data = case.data(np.arange(0))
    expected = case.reference.outputs(case.theta, data.X, data.points)
    assert case.ours.outputs(case.theta, data.X, data.points).shape == expected.shape == (2, 0)


def plan(solver, order, batch=20, **options):
    """Return one epoch of a solver in batches."""
    steps = -(-len(order) // batch)
    rates = np.linspace(0.02, 0.01, steps)
    numbers = solver.coefficients(rates, np.arange(1.0, steps + 1.0))
    record = {
        "order": order,
        "batch_size": batch,
        "rates": rates,
        "coefficients": np.stack(np.broadcast_arrays(*numbers, rates)[:-1], axis=1),
        "dropout": (),
        "key": (3, 5),
        "max_gradient_norm": float("inf"),
    }
    return Epoch(**(record | options))


def epoch_of(engine, case, solver, epoch, data):
    """Return θ, memory and report after one epoch."""
    theta = case.theta.copy()
    memory = solver.start(case.net.recipe, theta.dtype)["slots"]
    report = engine.epoch(theta, memory, solver.move, data, epoch)
    return theta, memory, report


OPTIONS = {
    "plain": {},
    "dropout": {"dropout": (0.2, 0.0, 0.5)},
    "clipped": {"max_gradient_norm": 0.05},
    "seldom clipped": {"max_gradient_norm": 1e6},
    "dropout and clipped": {"dropout": (0.0, 0.3, 0.1), "max_gradient_norm": 0.1},
}


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(
    "solver",
    # a large epsilon, for a derivative near 0 is all rounding, and Adam divides by its size
    ["adam(epsilon=0.01)", "adamw(0.5, epsilon=0.01)", "sgd", "sgd(0.5, False)"],
)
def test_epoch_agrees(solver, option, dtype, agreement):
    """An epoch, its last batch smaller, leaves the same θ and memory and reports the same."""
    penalty = agreement.Penalty(l1=0.01, l2=0.1, biases=True)
    case = agreement.pose([3, 8, 7, 4], ["tanh", "relu"], "huber", dtype, penalties=penalty)
    solver = get_solver(solver)
    order = np.random.default_rng(2).permutation(case.n)[:130]  # 6 batches of 20 and one of 10
    epoch = plan(solver, order, **OPTIONS[option])
    for weighted in (False, True):
        data = case.data(order, weighted=weighted)
        theta, memory, report = epoch_of(case.ours, case, solver, epoch, data)
        answers = epoch_of(case.reference, case, solver, epoch, data)
        limit = 7 * allowed(TERMS, 20)  # each step starts from where rounding led the last one
        assert agreement.gap(theta, answers[0], dtype) <= limit
        assert agreement.gap(memory, answers[1], dtype) <= limit
        assert agreement.gap(report.loss, answers[2].loss, dtype) <= limit
        assert agreement.gap(report.gradient_norm, answers[2].gradient_norm, dtype) <= limit


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_epoch_of_wide_layers_agrees(dtype, agreement):
    """Steps also bring the copies of W and H up to date that wide layers are multiplied from."""
    case = agreement.pose([300, 260, 270, 20], ["tanh", "relu"], "cross_entropy", dtype, n=600)
    solver, order = get_solver("adam(epsilon=0.01)"), np.random.default_rng(2).permutation(600)
    epoch, data = plan(solver, order, 240), case.data(order)
    theta, memory, report = epoch_of(case.ours, case, solver, epoch, data)
    answers = epoch_of(case.reference, case, solver, epoch, data)
    limit = 3 * allowed(np.sqrt(300), 240)
    assert agreement.gap(theta, answers[0], dtype) <= limit
    assert agreement.gap(memory, answers[1], dtype) <= limit
    assert agreement.gap(report.loss, answers[2].loss, dtype) <= limit
    assert agreement.gap(report.gradient_norm, answers[2].gradient_norm, dtype) <= limit


def test_huge_gradient_is_clipped_alike(agreement):
    """A gradient whose square overflows is shortened, not taken for infinite."""
    case = agreement.pose([3, 2], [], "absolute", "float64", n=20, spread=1e160)
    solver, data = get_solver("sgd"), case.data(np.arange(20))
    epoch = plan(solver, np.arange(20), max_gradient_norm=1.0)
    found, expected = (
        epoch_of(engine, case, solver, epoch, data) for engine in (case.ours, case.reference)
    )
    assert np.isfinite(expected[2].gradient_norm)
    for ours, reference in zip(found[:2], expected[:2], strict=True):
        assert agreement.gap(ours, reference, "float64") <= allowed(TERMS, 20)
    norms = found[2].gradient_norm, expected[2].gradient_norm
    assert agreement.gap(*norms, "float64") <= allowed(TERMS, 20)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_divergence_is_seen_alike(bad, agreement):
    """With an entry of θ that is not finite both engines end the epoch with a loss that is not."""
    for name in ("tanh", "relu", "softmax", "gelu"):
        case = agreement.pose([3, 8, 4], [name], "squared", "float64", n=40)
        case.theta[5] = bad
        solver = get_solver("adam")
        epoch = plan(solver, np.arange(40))
        data = case.data(np.arange(40))
        for engine in (case.ours, case.reference):
            with np.errstate(all="ignore"):
                _, _, report = epoch_of(engine, case, solver, epoch, data)
                J, gradient = engine.gradient(case.theta, data)
            finite = np.isfinite(report.loss) and np.isfinite(report.gradient_norm)
            assert not finite or (np.isfinite(J) and np.isfinite(gradient).all())
