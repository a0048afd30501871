"""Standard streams that are closed, full or left by their reader."""

import json
import os
import shutil

from tests.fault.process import Command
from tests.fault.promise import Attempt, Row
from tests.fault.row.damaged import two_runs

COMMANDS = (
    ["--help"],
    ["config"],
    ["options", "--json"],
    ["config", "model=nope"],
    ["runs"],
    ["runs", "--json"],
    ["show", "last"],
    ["compare", "0", "1"],
    ["eval", "last", "--json"],
    ["predict", "last", "x.npy"],
    ["train", "data=wine", "trainer.epochs=2", "tracking=none"],
)
FULL = "/dev/full"
FAULTS: dict[str, dict[int, str | int | None]] = {
    "stdout closed": {1: None},
    "stdout full": {1: FULL},
    "stdout left": {1: -1},
    "stderr closed": {2: None},
    "stderr full": {2: FULL},
    "stdin closed": {0: None},
    "all closed": {0: None, 1: None, 2: None},
    "both full": {1: FULL, 2: FULL},
}
CASES = [(words, fault) for words in COMMANDS for fault in FAULTS]
CODES = (0, 1, 2, 141)


def left_pipe() -> int:
    """Return a pipe's writing end whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def broken(attempt: Attempt) -> None:
    """Give a command with a stream that does not work."""
    words, fault = CASES[attempt.case]
    source = two_runs(attempt)
    shutil.copy(source / "x.npy", "x.npy")
    shutil.copytree(source / "runs", "runs")
    ids = [name.partition("-")[0] for name in json.loads((source / "names.json").read_text())]
    words = [ids[int(word)] if word in ("0", "1") else word for word in words]
    streams = {number: left_pipe() if target == -1 else target for number, target in FAULTS[fault].items()}
    done = Command(*words, streams=streams).done()
    text = done.out + done.err
    where = f"{' '.join(words)}, {fault}: "
    assert done.code in CODES, f"{where}exit {done.code}: {text[-300:]}"
    assert "Traceback" not in text, where + text[-500:]
    assert "internal error" not in text, where + text[-300:]
    if fault in ("stdout full", "both full") and words != ["config", "model=nope"]:
        assert done.code == 1, f"{where}exit {done.code}"
    if fault == "stdout left" and words != ["config", "model=nope"]:
        assert (done.code, " error: " in done.err) == (141, False), f"{where}exit {done.code}: {done.err[-200:]}"


ROWS = [
    Row(
        "stream-broken",
        "A stream that takes nothing is one line or silence, exit 1, or 141 for a reader that left; never a traceback",
        f"{len(COMMANDS)} commands with stdin, stdout, stderr closed, full (`/dev/full`) or left by their reader",
        broken,
        fast=4,
        full=len(CASES),
    ),
]
