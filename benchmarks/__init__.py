"""Ratios against a reference measured in the same run; each module runs as ``python -m benchmarks.NAME``."""
