"""Every error and warning of Lamina.

A message says what was expected, what came, and what to do. Each error derives
from `LaminaError` and from the builtin that a caller would catch without knowing us.
"""

from __future__ import annotations


class LaminaError(Exception):
    """Base of every error that Lamina raises on purpose."""


class InvalidValueError(LaminaError, ValueError):
    """A value is outside its range, or a name is not one of the known ones."""


class NotLearnedError(InvalidValueError, AttributeError):
    """What is asked for was not learned in `fit`, such as error bars; to `hasattr` it is absent."""


class InvalidTypeError(LaminaError, TypeError):
    """An argument has a type that cannot be used here."""


class ShapeError(LaminaError, ValueError):
    """An array has another shape than the network or its partner needs."""


class UnknownNameError(LaminaError, ValueError, LookupError):
    """A name (activation, error, solver, ...) is not registered."""


class FormulaError(LaminaError, ValueError):
    """A user's formula and its slope disagree, or the formula cannot be evaluated."""


class DivergenceError(LaminaError, ArithmeticError):
    """J or its gradient became infinite or NaN before any usable network was found."""


class ModelFileError(LaminaError, ValueError):
    """A model file is damaged, hostile, of a newer format, or no model file at all."""


class ModelExistsError(LaminaError, FileExistsError):
    """The file to save to exists and `overwrite=True` was not given."""


class CheckpointError(LaminaError, ValueError):
    """There is no checkpoint to go on from, or those in the folder are of another training."""


class TableError(LaminaError, ValueError):
    """A table cannot be read as numbers; the message names the column and the row."""


class MissingDependencyError(LaminaError, ImportError):
    """An optional library is needed; the message says how to install it."""


class LaminaWarning(UserWarning):
    """Base of every warning that Lamina issues."""


class DivergenceWarning(LaminaWarning):
    """Training met a non-finite J and went back to the last good network."""


class InterruptedWarning(LaminaWarning):
    """Training was stopped from the keyboard; the best network so far was kept."""


class CheckpointWarning(LaminaWarning):
    """A checkpoint is damaged, and an older one was taken; or one could not be written."""


class EngineWarning(LaminaWarning):
    """The compiled engine cannot be used, and the reference engine does its work."""
