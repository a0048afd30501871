"""Commands one after another in a process of its own, which the null GPU is put before: ``child.py < JSON > JSON``.

In come lists of arguments. Out comes, of each command, its exit code, stdout, stderr, and whether this process had
begun CUDA after it. A command may begin with what it is to meet: NAME=VALUE in the environment, "stop", a SIGTERM after
its first epoch, or "fill", others that take all memory of the device when the first graph is to be captured.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import torch

from dlexp.run.folder import RunFolder
from tests.command import run


@contextmanager
def stopped() -> Iterator[None]:
    """Have a signal come when an epoch is recorded."""
    append = RunFolder.append_epoch

    def append_and_stop(folder: RunFolder, record: dict) -> None:
        append(folder, record)
        signal.raise_signal(signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "append_epoch", append_and_stop)
        yield


@contextmanager
def filled() -> Iterator[None]:
    """Have no memory left on the first device for a graph."""
    begin = torch.cuda.graph_pool_handle

    with pytest.MonkeyPatch.context() as patch:

        def fill_and_begin() -> tuple[int, int]:
            patch.setenv("NULLGPU_FULL", "0:0")
            return begin()

        patch.setattr(torch.cuda, "graph_pool_handle", fill_and_begin)
        yield


@contextmanager
def around(setting: str) -> Iterator[None]:
    """Have NAME=VALUE in the environment."""
    name, _, value = setting.partition("=")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        yield


MEETS = {"stop": stopped, "fill": filled}


def main() -> None:
    """Run what stdin lists."""
    told = []
    for arguments in json.load(sys.stdin):
        with ExitStack() as stack:
            while arguments[0] in MEETS or "=" in arguments[0]:
                word = arguments.pop(0)
                stack.enter_context(MEETS[word]() if word in MEETS else around(word))
            ended = run(Path.cwd(), *arguments)
        has_begun = torch.cuda.is_initialized()
        told.append({"code": ended.returncode, "out": ended.stdout, "err": ended.stderr, "has_begun": has_begun})
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
