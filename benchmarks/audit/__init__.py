"""dlexp's numbers against code written from the papers: ``python -m benchmarks.audit``."""
