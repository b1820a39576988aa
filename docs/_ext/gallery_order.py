"""The order of the gallery: first what most people come for."""

ORDER = (
    "sine_error_bars",
    "two_spirals",
    "digits",
    "diabetes_intervals",
    "quantiles",
    "rosenbrock",
    "reports",
    "custom_activation",
    "from_scratch",
)


def key(file_name: str) -> int:
    """Return the place of an example; one that is not listed comes last."""
    name = file_name.removesuffix(".py")
    return ORDER.index(name) if name in ORDER else len(ORDER)
