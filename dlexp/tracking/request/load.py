"""Imports mlflow, which makes 400,000 objects that stay."""

import gc
import sys
from importlib import import_module

_STORE = "mlflow.store.tracking.sqlalchemy_store"  # imported by the first database that is opened


def load(*, is_database: bool) -> None:
    """Import mlflow without having Python look for garbage, and without it looking through those objects ever after.

    That takes a fifth of the import's CPU seconds, and a third of a new database's.

    Args:
        is_database: Whether a database will be opened, which imports as much again.
    """
    if "mlflow" in sys.modules:
        return
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        import_module("mlflow")
        if is_database:
            import_module(_STORE)
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()


def exclude_pandas() -> None:
    """Have mlflow do without pandas, as where mlflow-skinny alone is installed: its import takes a fifth less.

    For a process that only sends runs: `import pandas` fails in it from now on.
    """
    sys.modules["pandas"] = None  # pyright: ignore[reportArgumentType]
