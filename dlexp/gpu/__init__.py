"""CUDA devices: which are visible, by what names, and whether they compute."""
