"""The compiled engine: the same formulas, compiled by Numba, on threads of its own."""
