"""dlexp ensemble: which models to average, and what that is worth."""
