"""Ratios against a reference measured in the same run; each module runs as ``python -m benchmarks.NAME``."""

import os

# Processes that are measured find dlexp compiled, as it is where it is installed, and as the tools beside it are.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
