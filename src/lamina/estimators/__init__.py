"""scikit-learn's view: rows are data points, `fit`, `predict`, `score`."""
