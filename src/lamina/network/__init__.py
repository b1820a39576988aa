"""The mathematics: networks, their exact gradients, and proof by measurement."""

from lamina.network import error_families as _error_families  # noqa: F401 - registers its errors
