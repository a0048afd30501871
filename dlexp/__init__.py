"""dlexp: an experiment runner for deep networks that says which setting is better, and how sure it is."""
