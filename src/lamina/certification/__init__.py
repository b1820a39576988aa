"""The judge: gradients and second derivatives against what was measured from values alone."""
