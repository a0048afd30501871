"""Run folders of an earlier release: what can be done with them, and what would mix their numbers with new ones."""

import json
from pathlib import Path
from typing import Any

from tests.fault.process import Done, dlexp, one_line
from tests.fault.promise import Attempt, Row
from tests.test_golden import CV, STOPPED, SWEEP, TRAIN, unpack

IDS = {"run": TRAIN, "sweep": SWEEP, "cv": CV, **{f"stopped {kind}": run for kind, run in STOPPED.items()}}
LEAVES = {"run": TRAIN, "trial": "66b945e1581d", "fold": "1qtqb2nb5qa"}
COMMANDS: dict[str, list[str]] = {
    "runs": ["runs", "--json"],
    **{f"show {name}": ["show", run, "--json"] for name, run in IDS.items()},
    **{f"eval {name}": ["eval", run, "--split", "val", "--json"] for name, run in LEAVES.items()},
    **{f"predict {name}": ["predict", run, "x.npy", "--json"] for name, run in LEAVES.items()},
    "predict cv": ["predict", CV, "x.npy", "--ensemble", "--json"],
    "compare": ["compare", TRAIN, f"{SWEEP}:2", "--json"],
    "verify": ["train", "--verify-trial", "66b945e1581d", "--json"],
    "note": ["note", TRAIN, "a word"],
    "resume train": ["train", "--resume", STOPPED["train"], "--json"],
    "resume cv": ["cv", "--resume", STOPPED["cv"], "--json"],
    "resume sweep": ["sweep", "--resume", STOPPED["sweep"]],
    "resume whole sweep": ["sweep", "--resume", SWEEP],
}
CASES = list(COMMANDS)
EPOCHS = 60  # of the stopped training when it is whole


def earlier(attempt: Attempt) -> None:
    """Give a command on a run folder of an earlier release."""
    import numpy as np

    name, runs_dir = CASES[attempt.case], unpack(Path())
    np.save("x.npy", np.zeros((1, 8, 8), dtype=np.float32))
    before = {path: path.read_bytes() for path in runs_dir.rglob("result.json")}
    done = dlexp(*COMMANDS[name], "--runs-dir", "runs")
    if name.startswith("resume") and name.endswith("sweep"):
        one_line(done, 2)
        assert len(list(runs_dir.rglob("result.json"))) == len(before), "trials were mixed"
    elif name == "verify":  # weights begin otherwise by now, and it says so
        assert (done.code, json.loads(done.out)["is_bitwise"]) == (1, False), done.err[-400:]
    else:
        assert done.code == 0, done.err[-400:]
        assert "Traceback" not in done.err, done.err[-400:]
        judge(name, done)
    for path, content in before.items():
        is_resumed = name.startswith("resume") and COMMANDS[name][2] in str(path)
        assert is_resumed or path.read_bytes() == content, f"{name} changed {path}"


def judge(name: str, done: Done) -> None:
    """Compare what a command printed with what the release had recorded."""
    told: Any = json.loads(done.out) if "--json" in COMMANDS[name] else None
    match name.split():
        case ["runs"]:
            assert {record["run_id"] for record in told} == set(IDS.values())
        case ["show", *_]:
            assert told["run"]["run_id"] == COMMANDS[name][1]
        case ["eval", *_]:
            (path,) = Path("runs").rglob(f"{COMMANDS[name][1]}-*/result.json")
            recorded = json.loads(path.read_text())["metrics"]
            assert told["metrics"]["val/accuracy"] == recorded["val/accuracy"]
            assert abs(told["metrics"]["val/loss"] - recorded["val/loss"]) <= 1e-5 * recorded["val/loss"]
        case ["predict", *_]:
            assert abs(sum(told["predictions"][0]["probabilities"].values()) - 1) < 1e-5
        case ["resume", "train"]:
            assert told["epochs"] == EPOCHS
        case ["resume", "cv"]:
            assert told["complete"]


ROWS = [
    Row(
        "earlier-release",
        "Run folders of release 0.1.0 are listed, shown, evaluated, predicted with, compared and gone on with; a sweep "
        "whose numbers would not agree with new ones is refused",
        f"{len(CASES)} commands on a train, a sweep and a cv of then, whole and stopped",
        earlier,
        fast=0,
        full=len(CASES),
    ),
]
