"""Where the groups of a sweep run."""
