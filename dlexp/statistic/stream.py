"""Streams of random numbers of the statistics: one for each purpose, alike in every run."""

import numpy as np

PURPOSES = ("bootstrap", "sign flips", "noise", "silent noise", "model bags", "example folds")


def stream(purpose: str) -> np.random.Generator:
    """Return a fresh generator of one purpose; every call begins its stream anew.

    Args:
        purpose: One of `PURPOSES`.
    """
    return np.random.default_rng(np.random.SeedSequence(0, spawn_key=(PURPOSES.index(purpose),)))
