"""dlexp cv."""
