"""What the scripts share that do their work in forked children and kill them: the fork, and a server of workers."""

import os
import sys
import time
from collections.abc import Callable
from multiprocessing import forkserver

from dlexp.error import RunError
from dlexp.execution.executor import Executor
from dlexp.launcher.pool import Pool


def attempt(work: Callable[[], int], kill: tuple[float, int] | None = None) -> int:
    """Return the exit code of a forked child that does the work, minus the signal's number when that ended it.

    Args:
        work: Returns the exit code.
        kill: Seconds after which the child is sent a signal, and the signal; None leaves it alone.
    """
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = work()
        except RunError as error:
            # killed before its manifest was written: nothing to resume, so begin
            sys.stderr.write(f"{error}\n")
        except SystemExit as error:
            code = int(str(error))
        finally:
            os._exit(code)
    if kill is not None:
        time.sleep(kill[0])
        os.kill(pid, kill[1])
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def start_server() -> None:
    """Start one server of workers here, which children take for theirs: its imports would cost each of them seconds."""
    Pool(Executor, [{}], ["sklearn.datasets", Executor.__module__])
    forkserver.ensure_running = forkserver._forkserver.ensure_running = lambda: None
