"""`dlexp train --from SWEEP` as users and scripts run it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import command

DLEXP = Path(sys.executable).parent / "dlexp"
SMALL = ["data=iris", "tracking=none", "trainer.threads=1", "trainer.epochs=2"]


def run(cwd: Path, *arguments: str):
    return command.run(cwd, *arguments)


def run_alone(cwd: Path, *arguments: str):
    """Run a command in a process of its own, which has imported nothing of the user's."""
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


NET = """
import math
from torch import nn

class Net(nn.Module):
    def __init__(self, width: int = 8, *, in_shape, num_outputs):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(in_shape), width), nn.Linear(width, num_outputs))

    def forward(self, x):
        return self.layers(x)
"""


def test_with_the_user_s_yaml_and_code_the_printed_command_trains_and_all_goes_on_from_elsewhere(tmp_path):
    """The folder of YAML files is typed relative to a project whose name has to be quoted."""
    project, elsewhere = tmp_path / "it's mine", tmp_path / "elsewhere"
    for folder in (project / "conf" / "model", elsewhere):
        folder.mkdir(parents=True)
    (project / "winning_net.py").write_text(NET)
    (project / "conf" / "model" / "net.yaml").write_text("_target_: winning_net.Net\nwidth: 8\n")
    done = run_alone(
        *(project, "sweep", "--config-dir", "conf", "trusted=[winning_net]", "model=net", "model.width=4,8", *SMALL)
    )
    assert done.returncode == 0, done.stderr
    (printed,) = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines() if line.startswith("winner")]
    assert printed.startswith("dlexp train --config-dir conf ")
    path = {**os.environ, "PATH": f"{DLEXP.parent}:{os.environ['PATH']}"}
    trained = subprocess.run(f"{printed} --quiet", shell=True, cwd=project, env=path, capture_output=True, text=True)
    assert (trained.returncode, trained.stderr) == (0, "")
    (alone,), (sweep,) = project.glob("runs/iris/*-net-*"), project.glob("runs/iris/*-grid-width")
    best = json.loads((sweep / "result.json").read_text())["best"]
    scores = run_alone(elsewhere, "eval", f"../{alone.relative_to(tmp_path)}", "--json")
    assert json.loads(scores.stdout)["metrics"]["val/accuracy"] == pytest.approx(best["value"]), scores.stderr
    resumed = run_alone(elsewhere, "sweep", "--resume", f"../{sweep.relative_to(tmp_path)}", "--json")
    assert resumed.returncode == 0, resumed.stderr
    again = json.loads(resumed.stdout)["best"]
    assert {**again, "command": ""} == {**best, "command": ""}  # the command names the folders whole
    assert list(elsewhere.iterdir()) == []


def test_what_goes_on_with_seeds_names_the_sweep_that_they_are_of(swept):
    """`last` would be the sweep over seeds itself, which is newer."""
    folder, sweep = swept
    command = ["train", "--from", "last", "--seeds", "3", "--test", "optimizer.lr=0.05", "trainer.epochs=100000"]
    pipe = subprocess.PIPE
    with subprocess.Popen([DLEXP, *command], cwd=folder, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        assert any(line.startswith("sweep ") for line in process.stdout)
        process.send_signal(signal.SIGINT)
        told = process.stdout.read()
    assert process.returncode == 130
    expected = f"dlexp train --from {sweep['run_id']} --seeds 3 --test optimizer.lr=0.05 trainer.epochs=100000"
    assert f"go on with: {expected}" in " ".join(told.split())
