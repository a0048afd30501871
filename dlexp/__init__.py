"""dlexp: an experiment runner for deep networks that says which setting is better, and how sure it is."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlexp.door.call import compare, cv, sweep, train
    from dlexp.door.run import Run, load

__all__ = ["Run", "compare", "cv", "load", "sweep", "train"]
# Read when torch and numpy are imported. Threads that spin while they wait for another take the cores that others work
# on: beside busy neighbours an update of a convolution net on two threads took six times as long, and a product of
# numpy's twenty times the CPU seconds. OpenBLAS spins for 2^26 cycles unless it is told fewer; 2^4 are its fewest.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
# Torch's own lines on stderr tell of each allocation that a card refuses; what comes of it dlexp says in its words.
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")


_PLACES = {"Run": "run", "load": "run", "compare": "call", "cv": "call", "sweep": "call", "train": "call"}


def __getattr__(name: str) -> Any:
    """Return a name of `__all__`, whose module is imported only now."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"dlexp.door.{_PLACES[name]}"), name)
