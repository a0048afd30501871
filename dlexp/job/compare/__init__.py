"""dlexp compare."""
