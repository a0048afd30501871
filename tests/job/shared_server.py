"""One server of workers for all forked children of a script: its imports would cost each killed one seconds."""

from multiprocessing import forkserver

from dlexp.execution.executor import Executor
from dlexp.launcher.pool import Pool


def start() -> None:
    """Start the server here; children take it for theirs."""
    Pool(Executor, [{}], ["sklearn.datasets", Executor.__module__])
    forkserver.ensure_running = forkserver._forkserver.ensure_running = lambda: None
