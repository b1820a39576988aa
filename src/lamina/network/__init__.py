"""The mathematics: networks, their exact gradients, and proof by measurement."""

from lamina.network import activation_families as _activations  # noqa: F401 - registers its own
from lamina.network import blocks as _blocks  # noqa: F401 - registers its own
from lamina.network import error_families as _errors  # noqa: F401 - registers its own
from lamina.network import weighted as _weighted  # noqa: F401 - registers its own
