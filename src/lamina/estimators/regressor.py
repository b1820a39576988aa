"""`FeedForwardRegressor`: its parameters, in scikit-learn's terms."""

from __future__ import annotations

from typing import Any

from lamina.estimators.regression import Regression
from lamina.estimators.validation import Validation


class FeedForwardRegressor(Regression):
    """A feed-forward network that predicts numbers: one target or several.

    Minimizes J = Σ ω_n J_n + Σ_l (l1 Σ|W_l| + alpha/2 Σ W_l²) in scaled units, where ω_n
    are the sample weights divided by their sum and J_n sums over the targets; penalties are
    not divided by the number of samples.

    Parameters
    ----------
    hidden_layer_sizes, activation, output_activation, solver, alpha, l1, dropout,
    initialization, batch_size, learning_rate, learning_rate_init, max_iter, shuffle, tol,
    n_iter_no_change, early_stopping, validation, validation_fraction, gradient_tol, goal, max_time,
    n_restarts, max_gradient_norm, column_kinds, scale_inputs, dtype, n_layers, width, warm_start,
    random_state, n_threads, verbose, checkpoints, error_bars
        As for `FeedForwardClassifier`.
    loss : str or Error, default "squared"
        Such as "absolute", "huber(1.0)", "quantile((0.1, 0.9))", "poisson", "gaussian_nll".
        Thresholds such as huber's are in units of the scaled target.
    scale_targets : {"auto", "standard", "minmax", "mean", "none"}, default "auto"
        "auto" standardizes; where the loss needs positive targets, as poisson does, it divides
        them by their mean, which leaves the minimum where it is.

    target_transform : {"log", "box-cox", "quantile"}, optional
        Learn g(y) in place of y: its logarithm, its power by Box and Cox, or the normal quantile
        of its place among the training targets. Predictions, quantiles and intervals come back in
        units of y; `predict` gives g⁻¹ of the predicted g(y), no mean of y. `return_std` and
        residuals are refused. Details: `lamina.estimators.transforms`.
    output_weights : K numbers >= 0, optional
        Weights of the targets: J_n = Σ_k w_k J_nk, in scaled units; 1 each by default.

    Attributes
    ----------
    target_scaling_ : Scaling
        Of y, or of g(y).
    target_transform_ : Transform or None
        The map g.
    network_, state_, history_, stop_reason_, solver_, solver_choice_, restarts_, alpha_,
    effective_parameters_, beta_, columns_, encoding_, input_scaling_, coefs_, intercepts_, loss_,
    loss_curve_, validation_curve_, n_iter_, n_layers_, n_outputs_, out_activation_,
    n_features_in_, feature_names_in_

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = FeedForwardRegressor(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.5
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        *,
        activation: Any = "relu",
        output_activation: Any = "auto",
        loss: Any = "squared",
        solver: Any = "auto",
        alpha: Any = "auto",
        l1: Any = 0.0,
        dropout: Any = 0.0,
        initialization: Any = "auto",
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: Any = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        tol: Any = "auto",
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation: Any = "auto",
        validation_fraction: float = 0.1,
        gradient_tol: float = 0.0,
        goal: float | None = None,
        max_time: float | None = None,
        n_restarts: int = 1,
        max_gradient_norm: float | None = None,
        column_kinds: Any = None,
        scale_inputs: str = "standard",
        scale_targets: str = "auto",
        target_transform: Any = None,
        output_weights: Any = None,
        dtype: Any = "float64",
        n_layers: int | None = None,
        width: int | None = None,
        warm_start: bool = False,
        random_state: Any = None,
        n_threads: int | None = None,
        verbose: bool = False,
        checkpoints: Any = None,
        error_bars: Any = False,
    ) -> None:
        """Keep the parameters; they are checked in `fit`."""
        self._keep(locals())

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        groups: Any = None,
    ) -> FeedForwardRegressor:
        """Train the network.

        Parameters
        ----------
        X : table of N rows
            A data frame of any library, a dict of columns, a sparse matrix, or an array of any
            type and memory order; read-only and memory maps too. NaN is a missing value.
        y : N numbers, or an N × K table
            One target or several. Of several, entries may be NaN: they add nothing to J and to its
            gradient, scalings and R² are those of the entries that are there, and a row without
            any does not count. ω_n stays 1/N: a row counts by what is known of it.
        sample_weight : N numbers >= 0, optional
        X_val, y_val, sample_weight_val : as X, y, sample_weight, optional
            Validation data, followed in the history and watched by `early_stopping`.
        groups : N labels, optional
            For a `validation` that heeds them, such as `GroupShuffleSplit()`.

        Returns
        -------
        self

        Raises
        ------
        LaminaError, ValueError, TypeError
            If data or parameters are wrong; the message says which and what to do.
        """
        validation = Validation(X_val, y_val, sample_weight_val, groups)
        return self._fit(X, y, sample_weight, validation, partial=False)  # type: ignore[no-any-return]  # self, or an array

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> FeedForwardRegressor:
        """Train for one epoch on this part of the data; scaling is learned from the first part."""
        return self._fit(X, y, sample_weight, Validation(), partial=True)  # type: ignore[no-any-return]  # self, or an array
