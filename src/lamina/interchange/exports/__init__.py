"""Models to take away: one description of a trained model, and a writer for each language."""
