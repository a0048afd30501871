"""Weights by name in files of many kinds; nothing in a file is run."""
