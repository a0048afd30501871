"""dlexp eval and dlexp predict."""
