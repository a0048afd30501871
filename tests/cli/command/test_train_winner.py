"""`dlexp train --from SWEEP` as users and scripts run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

DLEXP = Path(sys.executable).parent / "dlexp"
SMALL = ["data=iris", "tracking=none", "trainer.threads=1", "trainer.epochs=2"]


def run(cwd: Path, *arguments: str):
    return subprocess.run([DLEXP, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("winner")
    done = run(folder, "sweep", *SMALL, "optimizer.lr=1e-6,0.1", "--json")
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_the_winner_is_trained_anew(swept):
    folder, sweep = swept
    done = run(folder, "train", "--from", sweep["run_id"], "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["metrics"]["val/accuracy"] == pytest.approx(sweep["best"]["value"])
    (path,) = folder.glob(f"runs/iris/{result['run_id']}*/manifest.json")
    assert json.loads(path.read_text())["params"]["optimizer.lr"] == sweep["best"]["overrides"]["optimizer.lr"] == 0.1


def test_with_the_validation_part_the_winner_s_best_epoch_is_the_length(swept):
    folder, sweep = swept
    done = run(folder, "train", "--from", sweep["run_id"], "--on", "train+val", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert not any(name.startswith("val/") for name in result["metrics"])
    (trial,) = [record for record in sweep["trials"] if record["run_id"] == sweep["best"]["run_id"]]
    best = json.loads((Path(trial["run_dir"]) / "result.json").read_text())["best_epoch"]
    assert result["epochs"] == best


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "last", "--resume", "last"], "config error: --from: got --resume too"),
        (["--on", "train+val"], "config error: --on: got train+val without --from SWEEP; train_on=train+val does it"),
        (["--seeds", "3"], "config error: --seeds: got 3 without --from SWEEP"),
        (["--from", "last", "--on", "val"], "config error: --on: got val; choose one of train, train+val"),
        (["--from", "last", "--seeds", "0"], "config error: --seeds: got 0; an integer >= 1 is needed"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(tmp_path, arguments, message):
    done = run(tmp_path, "train", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(message)
