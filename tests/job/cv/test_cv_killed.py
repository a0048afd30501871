"""A cross-validation that is killed again and again ends with the very table of the one that was left alone."""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[3]
SETTINGS = ["tracking=none", "trainer.threads=1", "dropout=inverted"]
REPEATED = ["trainer.epochs=14", "cv.k=4", "cv.repeats=2"]
FORMS = {
    "off": [*REPEATED, "trainer.fuse=off"],
    "fused": [*REPEATED, "trainer.fuse=4"],
    "nested": ["trainer.epochs=6", "cv=nested", "cv.k=3", "cv.inner_k=2", "optimizer.lr=0.01,0.1", "trainer.fuse=4"],
}
VARYING = ("run_id", "run_dir", "seconds")


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.job.cv.kill_cv_loop", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(runs_dir: Path) -> tuple[dict, dict]:
    """Return result and pooled predictions, without ids of runs and times."""
    (path,) = runs_dir.glob("*/*/result.json")
    result = json.loads(path.read_text())
    for record in [result, *result["folds"]]:
        for key in VARYING:
            record.pop(key, None)
    with np.load(path.parent / "predictions" / "val.npz") as stored:
        return result, {key: stored[key].tolist() for key in stored}


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("form", ["off", "fused", "nested"])
def test_killed_at_random_instants(tmp_path, form, workers):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    run(str(tmp_path / "whole"), "0", "0", *SETTINGS, *FORMS[form], "launcher.workers=1")
    told = run(str(tmp_path / "killed"), str(seed), "30", *SETTINGS, *FORMS[form], f"launcher.workers={workers}")
    print(told)
    assert int(told.split("finished after ")[1].split()[0]) >= 10, told
    assert contents(tmp_path / "whole") == contents(tmp_path / "killed")
