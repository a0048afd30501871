"""Work for the pools of test_pool, importable in worker processes; as a program: a parent to be killed.

usage: python pool_work.py FOLDER
"""

import os
import sys
import time
from pathlib import Path

from dlexp.launcher.process_pool import ProcessPool
from dlexp.launcher.worker import NoRoom


def make():
    return work


def work(task, should_stop):
    name, *arguments = task
    yield from globals()[name](should_stop, *arguments)


def rest(task, told):
    """What is left of `until_stopped` after it was stopped: nothing."""
    return None if "stopped" in told else task


def nothing(_should_stop):
    yield from ()


def square(_should_stop, number):
    yield ("begun", number)
    yield ("square", number * number)


def meet(_should_stop, folder, mine, other):
    """Both of two such tasks end only when they run at the same time."""
    (folder / mine).touch()
    wait_for(folder / other)
    yield os.getpid()


def until_stopped(should_stop):
    yield "busy"
    while not should_stop():
        time.sleep(0.01)
    yield "stopped"


def until(_should_stop, path):
    yield "busy"
    wait_for(path)
    yield "done"


def die(_should_stop, signum):
    yield "dying"
    os.kill(os.getpid(), signum)
    yield "alive"


def break_down(_should_stop):
    yield "breaking"
    sys.exit(7)


def on_device(_should_stop, number):
    if os.environ.get("BROKEN"):
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nCompile with TORCH_USE_CUDA_DSA")
    yield number


def in_memory(_should_stop, number, needed):
    if needed > float(os.environ["ROOM"]):
        yield NoRoom(("in_memory", number, needed), "out of memory")
    else:
        yield number, os.environ["ROOM"]


def environment(_should_stop, name):
    yield os.environ.get(name)


def knows_program(_should_stop):
    yield hasattr(sys.modules["__main__"], "__file__")


def sleep(_should_stop, folder):
    (folder / str(os.getpid())).touch()
    time.sleep(60)
    yield "awake"


def wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert path.exists()


def main() -> None:
    from pool_work import make  # workers know nothing of the program that starts them

    tasks = [("sleep", Path(sys.argv[1]))] * 2
    for _ in ProcessPool(make, [{}, {}], []).run(lambda: tasks.pop() if tasks else None, lambda: False):
        pass


if __name__ == "__main__":
    main()
