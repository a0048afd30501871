"""`dlexp cv` and `dlexp compare` as users and scripts run them."""

import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from dlexp.data.dataset import Dataset
from dlexp.run.folder import RunFolder
from tests import command

data_line = import_module("dlexp.cli.view.cv").data_line  # installed from cli/, which type checkers cannot see
QUICK = ["tracking=none", "trainer.threads=1", "data=iris", "cv.k=5", "trainer.fuse=off"]


def dlexp(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    done = command.run(cwd, *arguments)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> tuple[Path, list[dict]]:
    """A folder with two finished cvs and what they printed."""
    cwd = tmp_path_factory.mktemp("cv")
    settings = (["trainer.epochs=8"], ["trainer.epochs=1", "model=softmax", "optimizer.lr=0.0001"])
    told = [dlexp(cwd, "cv", *QUICK, *more, "--json") for more in settings]
    assert [code for code, _, _ in told] == [0, 0], told
    return cwd, [json.loads(out) for _, out, _ in told]


def test_cv_prints_the_document_that_its_folder_has(place):
    cwd, results = place
    for result in results:
        assert RunFolder(Path(result["run_dir"])).result == result
        assert result.keys() >= {"kind", "run_id", "run_dir", "status", "complete", "k", "repeats", "seconds"}
        assert result.keys() >= {"folds", "mean", "std", "interval", "out_of_fold"}
        assert all(fold.keys() >= {"fold", "repeat", "run_id", "status", "metrics"} for fold in result["folds"])
    assert sorted(path.name for path in cwd.iterdir()) == ["runs"]


def test_settings_and_the_folds_together_as_users_run_them(place):
    cwd, (good, _) = place
    np.save(cwd / "new.npy", np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]))
    elsewhere = ["--runs-dir", "runs"]
    commands = {
        "settings": ["cv", *QUICK, "trainer.epochs=2", "optimizer.lr=0.0001,0.1", "runs_dir=other", "--json"],
        "plan": ["cv", *QUICK, "optimizer.lr=0.0001,0.1", "seed=range(0,2)", "--dry-run", "--json"],
        "predict": ["predict", "--ensemble", good["run_id"], "new.npy", "--json", *elsewhere],
        "eval": ["eval", good["run_id"], "--split", "test", "--json", *elsewhere],
    }
    told = {name: dlexp(cwd, *arguments) for name, arguments in commands.items()}
    assert {code for code, _, _ in told.values()} == {0}, told
    settings, plan, said, tested = (json.loads(told[name][1]) for name in commands)
    assert [entry["overrides"] for entry in settings["settings"]] == [{"optimizer.lr": 0.1}, {"optimizer.lr": 0.0001}]
    assert "the best of 2 settings, picked by these very scores" in told["settings"][2]
    assert (plan["trials"], plan["settings"], plan["seeds"]) == (20, 2, 2)
    assert [entry["class"] for entry in said["predictions"]] == ["setosa", "virginica"]
    assert (tested["openings"], tested["models"], len(tested["folds"])) == (1, 5, 5)
    assert tested["metrics"].keys() >= {"test/accuracy"}


def test_the_commands_around_a_cv(place, drawn):
    cwd, (good, bad) = place
    ids = [good["run_id"], bad["run_id"]]
    commands = {
        "compare": ["compare", *ids, "--json", "--figure", "f.png"],
        "audit": ["cv", *QUICK, "--audit", "--json"],
    }
    told = {name: dlexp(cwd, *arguments) for name, arguments in commands.items()}
    codes = {name: code for name, (code, _, _) in told.items()}
    assert codes == {"compare": 0, "audit": 0}, told
    comparison = json.loads(told["compare"][1])
    pair = comparison["pairs"][0]
    assert pair.keys() >= {"a", "b", "difference", "interval", "p_value", "test", "verdict"}
    assert (pair["a"], pair["b"], pair["verdict"]) == (*ids, "a")
    assert (cwd / "f.png").read_bytes().startswith(b"\x89PNG")
    assert "A is better" in told["compare"][2]
    assert json.loads(told["audit"][1])["clean"]
    assert len(list((cwd / "runs" / "iris").iterdir())) == 2


def test_the_examples_are_those_of_all_folds_not_of_the_first():
    rows = torch.arange(60)
    data = Dataset("g", "regression", torch.zeros(60, 1), torch.zeros(60), rows[:36], rows[36:48], rows[48:])
    assert data_line(data, 5) == "data    g (regression): 48 examples in 5 folds, 12 sealed for test"
