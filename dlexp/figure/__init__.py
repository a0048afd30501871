"""What is drawn of runs and data. matplotlib is imported here only."""
