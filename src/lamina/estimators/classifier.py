"""`FeedForwardClassifier`: its parameters, in scikit-learn's terms."""

from __future__ import annotations

from typing import Any

from lamina.estimators import multioutput
from lamina.estimators.classification import Classification
from lamina.estimators.validation import Validation


class FeedForwardClassifier(Classification):
    """A feed-forward network that classifies: two classes, many, many labels or targets at once.

    Minimizes J = Σ ω_n J_n + Σ_l (l1 Σ|W_l| + alpha/2 Σ W_l²); ω_n are the sample weights
    divided by their sum, and penalties are not divided by the number of samples.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int, default (100,)
        S_1, ..., S_{L-1}; an empty tuple gives a linear model.
    activation : str, Activation, or list of one for each hidden layer, default "relu"
    output_activation : str or Activation, default "auto"
        "auto" takes the natural one of the loss.
    loss : str or Error, default "auto"
        "auto" is "cross_entropy" (softmax) for more than two classes, and
        "binary_cross_entropy" (logistic) for two classes or several labels.
    solver : name or Solver, default "auto"
        "auto" chooses by size, loss, precision and options, and says why in `solver_choice_`;
        `warm_start` and `partial_fit` keep what it chose. Or "adam", "adamw", "sgd", or on all
        data "lbfgs", "levenberg_marquardt", "bayesian_regularization", "gauss_newton_cg",
        "scaled_conjugate_gradient", "rprop". With settings: "sgd(momentum=0.8)" or
        `lamina.Sgd(momentum=0.8)`.
    alpha, l1 : float >= 0, or list of one for each layer 1..L, default "auto" and 0
        "auto" is 1e-4, or 0 where the solver finds the penalty, as bayesian_regularization does.
        Strengths of the L2 and L1 penalties; biases are exempt.
    dropout : float in [0, 1), or list of one for each hidden layer, default 0
        The probability to drop a hidden unit's activation while training.
    initialization : str or vector θ, default "auto"
    batch_size : int or "auto", default "auto"
        "auto" is min(200, n_samples).
    learning_rate : str, Schedule or function of the epoch, default "constant"
        The factor of `learning_rate_init` over time, such as "cosine" or "step(every=20)".
    learning_rate_init : float > 0 or "auto", default "auto"
        "auto" is 0.001 for adam and adamw, 0.01 for sgd.
    max_iter : int >= 1, default 200
        Epochs; for solvers on all data iterations.
    shuffle : bool, default True
    tol : float or "auto", default "auto"
        The fall of the loss that counts as progress; "auto" is 1e-4, for solvers on all data less.
    n_iter_no_change : int >= 1, default 10
        Epochs without progress before training stops.
    early_stopping : bool, default False
        Watch the loss on validation data, and keep the network where it was lowest: on data
        given to `fit`, or on rows set apart as `validation` says.
    validation : str, float, indices, mask, splitter or tuple, default "auto"
        "auto" sets `validation_fraction` of the rows apart at random, classes in proportion, if
        `early_stopping` is on. All others set apart or give what is watched, and what is only
        followed in the history without it: a fraction (at random), "block" (the last
        `validation_fraction` of the rows in their order), "interleave" (every k-th row), indices
        or a mask of rows, a splitter of scikit-learn (its first split; `groups` in `fit`), or
        (X_val, y_val[, sample_weight_val]). A model file does not hold the last two kinds.
    validation_fraction : float in (0, 1), default 0.1
        For "auto", "block" and "interleave".
    gradient_tol, goal, max_time : float, optional
        Stop at this gradient norm, at this loss, or after so many seconds.
    n_restarts : int >= 1, default 1
        Trainings, each from another first θ. The one with the lowest validation loss is kept, or
        without such data the lowest J (the highest evidence, if the solver finds the penalty).
        `max_time` is for all; `warm_start` goes on with the best.
    max_gradient_norm : float > 0, optional
        Longer gradients are shortened to this.
    column_kinds : dict of name or index to kind, optional
        "numeric", "boolean", "categorical", "datetime" or "drop", for columns that are not what
        they look like.
    scale_inputs : {"standard", "minmax", "robust", "none"}, default "standard"
        "robust" scales by median and quartiles, and bends what is far out to within ±3.
    class_weight : dict, "balanced", or list of dict for several labels, optional
        Multiplies the sample weights.
    dtype : {"float64", "float32"}, default "float64"
    n_layers, width : int, optional
        Number of hidden layers and units in each, in place of `hidden_layer_sizes`.
    warm_start : bool, default False
        Whether `fit` goes on where the last one ended; ten fits of one epoch are one of ten.
    random_state : int, RandomState or None, default None
    n_threads : int >= 1, optional
        Threads for training and prediction; by default as many as pay and the process may use.
        The result is the same to the last bit.
    verbose : bool, default False
        Whether to show a progress bar on stderr; for callbacks of scikit-learn `set_callbacks`.
    checkpoints : lamina.Checkpoints, optional
        Where `fit` writes down how far it is, and whether it goes on from there.
    error_bars : bool or ErrorBars, default False
        Whether `fit` learns how sure the network is: standard errors, leverages, intervals.

    Attributes
    ----------
    network_ : Network
    classes_ : array, or list of arrays
        Of several targets the classes of each.
    state_ : TrainingState
    history_ : History
    stop_reason_ : str
        A key of `lamina.training.stopping.REASONS`.
    solver_, solver_choice_ : str
        Which solver it was, and why, in a sentence.
    alpha_, effective_parameters_, beta_ : float
        The penalty, number of determined parameters and precision of the noise that were found.
    columns_, encoding_ : LearnedColumns, Encoding or None
        What was learned of each column; None where X was an array of numbers without NaN.
    input_scaling_ : Scaling
        Of the features that the columns became.
    coefs_, intercepts_, loss_, loss_curve_, validation_curve_, n_iter_, n_layers_, n_outputs_,
    out_activation_, restarts_, n_features_in_, feature_names_in_

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> X, y = load_wine(return_X_y=True)
    >>> model = FeedForwardClassifier(random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        *,
        activation: Any = "relu",
        output_activation: Any = "auto",
        loss: Any = "auto",
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
        class_weight: Any = None,
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
    ) -> FeedForwardClassifier:
        """Train the network.

        Parameters
        ----------
        X : table of N rows
            A data frame of any library, a dict of columns, a sparse matrix, or an array of any
            type and memory order; read-only and memory maps too. NaN is a missing value.
        y : N labels, an N × K table of 0 and 1, or an N × K table of labels
            Classes, several labels at once, or classes of K targets, each with a softmax of its
            own; text, bool or integers, in an array, a series or a frame of any library.
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

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> FeedForwardClassifier:
        """Train for one epoch on this part of the data.

        Scaling is learned from the first part, and stays.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`
        classes : labels, optional
            All classes there will be, for several targets a list of those of each; needed in the
            first call unless y has them all.
        """
        self._announced = multioutput.announce(classes, getattr(self, "classes_", None))
        try:
            return self._fit(X, y, sample_weight, Validation(), partial=True)  # type: ignore[no-any-return]  # self, or an array
        finally:
            del self._announced
