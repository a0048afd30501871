"""A worker process: takes tasks from its parent, sends what happens in them, and dies with its parent.

Nothing is torn down in order: what tasks write to the disk must survive that.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from dlexp.error import first_line, is_broken_device
from dlexp.gpu.child import setting

STOP, DONE = "stop", "done"  # to the worker, from the worker


@dataclass(frozen=True)
class Broken:
    """The last words of a worker whose device has failed: it ends, for nothing in this process can use it again."""

    why: str


@dataclass(frozen=True)
class NoRoom:
    """What is left of a task for which the memory of a worker's device did not suffice; another's may.

    Attributes:
        task: The last word on the task in hand, before DONE: none of it was told to have ended.
        why: For the user.
    """

    task: Any
    why: str


Work = Callable[[Any, Callable[[], bool]], Iterable[Any]]


def serve(connection: Connection, make_work: Callable[[], Work], environment: dict[str, str], held: Any) -> None:
    """Work until the parent closes the connection or dies.

    Args:
        connection: To the parent: tasks and STOP come in, events and DONE go out.
        make_work: Makes what is called with each task and the wish to stop, and yields events.
        environment: Set before anything else, so that CUDA begins with the devices it names.
        held: A duplicate of a descriptor that stays open as long as this process lives; None for none.
    """
    os.environ.update(environment)
    if held is not None:
        held.detach()
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    wants_stop = threading.Event()
    threading.Thread(target=_listen, args=(connection, inbox, wants_stop), daemon=True).start()
    work = make_work()
    while True:
        try:
            for event in work(inbox.get(), wants_stop.is_set):
                _tell(connection, event)
        except Exception as error:
            if not is_broken_device(error):
                raise
            where = f" ({setting()})" if setting() else ""
            _tell(connection, Broken(f"{first_line(error)}{where}"))
            os._exit(1)
        _tell(connection, DONE)


def _tell(connection: Connection, event: Any) -> None:
    try:
        connection.send(event)
    except ConnectionError:  # the parent was killed, and the other thread has not seen it yet
        os._exit(0)


def _listen(connection: Connection, inbox: "queue.SimpleQueue[Any]", wants_stop: threading.Event) -> None:
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            os._exit(0)
        if message == STOP:
            wants_stop.set()
        else:
            inbox.put(message)
