"""Where columns lie in memory, and how it goes back to the system."""
