"""Kills at every point of a write: a file holds its old content or its new, and a run goes on."""

import json
import signal
from pathlib import Path

from tests.fault.bits import require_equal, run_folder
from tests.fault.hook import Hook, kill
from tests.fault.process import Command, dlexp
from tests.fault.promise import Attempt, NotPossible, Row
from tests.fault.row.killed import COMMON, begin_or_go_on, trained, undisturbed

THREE_EPOCHS = ["train", *COMMON, "data.limit=300", "trainer.epochs=3", "optimizer=adam", "dropout=inverted"]


def every_point(attempt: Attempt) -> None:
    """Kill a training at one of its operations on files; it is listed, and goes on or begins anew to the same bits."""
    expected = undisturbed(attempt, "three-epochs", THREE_EPOCHS, trained)
    hook = Hook(Path("runs"), attempt.case + 1, kill)
    if Command(*THREE_EPOCHS, prepare=hook.install).done().code != -signal.SIGKILL:
        raise NotPossible("the training has fewer operations on files")
    listed = dlexp("runs", "--runs-dir", "runs", "--json")
    assert listed.code == 0, listed.err
    done = begin_or_go_on(THREE_EPOCHS).done()
    assert done.code == 0, done.err
    require_equal(expected, trained(Path("runs")))
    left = [str(path) for path in run_folder(Path("runs")).rglob("*.new")]
    assert not left, f"left behind: {left}"


def old_or_new(attempt: Attempt) -> None:
    """Kill the replacement of a file at one of its operations; the file is whole."""
    from dlexp.disk.durable import write_bytes

    path = Path("file.json")
    old, new = json.dumps({"a": "x" * 5000}).encode(), json.dumps({"a": "y" * 9000}).encode()
    write_bytes(path, old)
    hook = Hook(Path(), attempt.case + 1, kill)

    def replace() -> int:
        write_bytes(path, new)
        return 0

    code = Command(prepare=hook.install, act=replace).done().code
    if code == 0:
        raise NotPossible("the replacement has fewer operations on files")
    assert code == -signal.SIGKILL
    assert path.read_bytes() in (old, new), f"a mixture of {len(path.read_bytes())} bytes"


ROWS = [
    Row(
        "file-replaced",
        "A file that is replaced holds its old content or its new, whenever the process dies",
        "SIGKILL at each operation of a replacement: opening, half a write, fsync, rename",
        old_or_new,
        fast=5,
        full=5,
    ),
    Row(
        "every-write",
        "A training that dies at any of its operations on files is listed and goes on to the same bits",
        "SIGKILL at each operation of a training of three epochs, in its checkpoints' writes too; no temporary file "
        "is left in the run's folder (a folder that was killed before its manifest was there stays as it is)",
        every_point,
        fast=4,
        full=420,
    ),
]
