"""Where a run's events go: its folder, which is the truth, and MLflow, which is filled from it."""
