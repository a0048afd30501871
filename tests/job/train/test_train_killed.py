"""A run that is killed again and again ends with the very bits of the run that was left alone."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

ROOT = Path(__file__).parents[3]
KILLS = 24
LONG = [
    "tracking=none",
    "trainer.threads=1",
    "trainer.epochs=250",
    "optimizer=adam",
    "schedule=cosine",
    "dropout=inverted",
]


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.job.train.kill_loop", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(runs_dir: Path) -> tuple[list[dict], dict, bytes, dict]:
    """Return history, weights, predictions and result, without times."""
    (folder,) = [path for path in runs_dir.glob("*/*") if (path / "result.json").exists()]
    history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    history = [{k: v for k, v in record.items() if k not in ("seconds", "time")} for record in history]
    weights = {
        f"{k}/{n}": t
        for k in ("last", "best")
        for n, t in load_file(folder / "checkpoints" / k / "weights.safetensors").items()
    }
    result = json.loads((folder / "result.json").read_text())
    for key in ("run_id", "run_dir", "seconds"):
        del result[key]
    return history, weights, (folder / "predictions" / "val.npz").read_bytes(), result


@pytest.mark.parametrize("kind", ["SIGKILL, SIGTERM and SIGINT"])
def test_killed_at_random_instants(tmp_path, kind):
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    run(str(tmp_path / "whole"), "0", "0", *LONG)
    told = run(str(tmp_path / "killed"), str(seed), str(KILLS), *LONG)
    print(told)
    killed = int(told.split("finished after ")[1].split()[0])
    assert killed >= 20, told
    whole, other = contents(tmp_path / "whole"), contents(tmp_path / "killed")
    assert whole[0] == other[0]
    assert whole[1].keys() == other[1].keys()
    assert all(value.equal(other[1][name]) for name, value in whole[1].items())
    assert whole[2] == other[2]
    assert whole[3] == other[3]
