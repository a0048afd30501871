"""A run's folder, and the runs of a folder."""
