"""Commands one after another in a process of its own, which the null GPU is put before: ``child.py < JSON > JSON``.

In come lists of arguments. Out comes, of each command, its exit code, stdout, stderr, and whether this process had
begun CUDA after it. A command that begins with "stop" is given a SIGTERM after its first epoch.
"""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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


def main() -> None:
    """Run what stdin lists."""
    told = []
    for arguments in json.load(sys.stdin):
        if arguments[0] == "stop":
            with stopped():
                ended = run(Path.cwd(), *arguments[1:])
        else:
            ended = run(Path.cwd(), *arguments)
        has_begun = torch.cuda.is_initialized()
        told.append({"code": ended.returncode, "out": ended.stdout, "err": ended.stderr, "has_begun": has_begun})
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
