"""Simulations of the statistics: what an interval covers, what a correction leaves, what a test calls different."""
