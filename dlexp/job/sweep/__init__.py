"""dlexp sweep."""
