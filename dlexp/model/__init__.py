"""Architectures: one module each, plain PyTorch, built from the configured activation, norm and dropout."""
