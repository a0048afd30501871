"""What a CUDA device does with dlexp's programs: ``python -m benchmarks.gpu``."""
