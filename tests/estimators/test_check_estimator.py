"""scikit-learn's own checks of what it calls an estimator; none is expected to fail."""

import os
import subprocess
import sys
from unittest import SkipTest

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from lamina import FeedForwardClassifier, FeedForwardRegressor

MIXED = {"hidden_layer_sizes": (20, 10, 10), "activation": ["tanh", "relu", "silu"]}
ESTIMATORS = [
    FeedForwardClassifier(),
    FeedForwardRegressor(),
    FeedForwardClassifier(**MIXED),
    FeedForwardRegressor(**MIXED),
]
ELSEWHERE = {
    "check_array_api_input": "needs SCIPY_ARRAY_API when SciPy is imported",
    "check_classifiers_multilabel_output_format_decision_function": "needs a decision_function",
}
"""Checks that scikit-learn skips here, why, and that a test of their own runs below."""


def name_of(check):
    """Return the name of a check, which may be a partial."""
    return getattr(check, "func", check).__name__


def cases():
    """Yield every check for every estimator, but those that have tests of their own."""
    for estimator in ESTIMATORS:
        deep = "mixed" if estimator.hidden_layer_sizes == (20, 10, 10) else "defaults"
        for given, check in estimator_checks_generator(estimator):
            if name_of(check) not in ELSEWHERE:
                label = f"{type(estimator).__name__}-{deep}-{name_of(check)}"
                yield pytest.param(given, check, id=label)


@pytest.mark.parametrize(("estimator", "check"), list(cases()))
def test_estimator_passes_check(estimator, check):
    """Every check of scikit-learn passes, for one layer and for three of mixed activations."""
    try:
        check(estimator)
    except SkipTest as reason:
        pytest.fail(f"skipped, and no other test runs it: {reason}")


def test_estimator_passes_array_api_check():
    """Enabling scikit-learn's array API dispatch changes no result."""
    script = (
        "import functools, lamina\n"
        "from sklearn.utils.estimator_checks import estimator_checks_generator as checks\n"
        "for kind in (lamina.FeedForwardClassifier, lamina.FeedForwardRegressor):\n"
        f"    for settings in ({{}}, {MIXED!r}):\n"
        "        for estimator, check in checks(kind(**settings)):\n"
        "            if getattr(check, 'func', check).__name__ == 'check_array_api_input':\n"
        "                check(estimator)\n"
        "                print('passed')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["passed"] * 4), done.stderr


def test_classifier_without_probabilities_passes_decision_function_check():
    """The decision function of a hinge classifier has the form that scikit-learn wants."""
    name = "check_classifiers_multilabel_output_format_decision_function"
    hinge = FeedForwardClassifier(loss="hinge")
    checks = [c for c in estimator_checks_generator(hinge) if name_of(c[1]) == name]
    assert len(checks) == 1
    for estimator, check in checks:
        check(estimator)
