"""dlexp train."""
