"""Programs of many trials: the same model with a trial axis."""
