"""How a recipe and its gradient are evaluated: same answers, other speeds."""
