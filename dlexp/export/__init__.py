"""Models as one file that others can use: written, checked when read, and asked as a run's own model is."""
