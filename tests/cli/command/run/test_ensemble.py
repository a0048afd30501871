"""`dlexp ensemble` as a user types it, on small trainings."""

import json
import math
from importlib import import_module

import numpy as np
import pytest
from rich.console import Console

from tests.command import run

view = import_module("dlexp.cli.view.run.ensemble")  # installed from cli/, which type checkers cannot see

QUICK = ("data=digits", "data.limit=200", "model.widths=[8]", "trainer.epochs=2", "tracking=none", "trainer.threads=1")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    assert run(folder, "sweep", *QUICK, "seed=range(0,3)", "-q").returncode == 0
    np.save(folder / "x.npy", np.zeros((2, 8, 8), dtype=np.uint8))
    return folder


def test_an_ensemble_of_a_sweep_is_chosen_shown_and_asked(project):
    chosen = run(project, "ensemble", "last", "--steps", "5", "--json")
    assert chosen.returncode == 0, chosen.stderr
    document = json.loads(chosen.stdout)
    assert document["num_models"] == 3
    assert "ensemble, on examples left out" in chosen.stderr
    assert "ensemble - mean of all" in chosen.stderr
    first = run(project, "predict", "last", "x.npy", "--json")
    assert json.loads(first.stdout)["models"] == len(document["members"])
    shown = run(project, "show", "last")
    assert f"{len(document['members'])} of 3 models" in shown.stdout
    scored = json.loads(run(project, "eval", "last", "--json").stdout)
    assert scored["metrics"] == pytest.approx(document["metrics"], abs=1e-6)
    tested = run(project, "eval", "last", "--split", "test", "--json")
    assert len(json.loads(tested.stdout)["folds"]) == len(document["members"])
    page = run(project, "report", "last", "--format", "md")
    assert "Is a mean of 3 models better than the best of them on digits?" in page.stdout
    assert "ensemble" in run(project, "report", "--format", "md").stdout or "runs" in page.stdout
    for command, words in (
        (("export", "last"), "got an ensemble, which is several models; export its members"),
        (("diagnose", "last"), "got an ensemble; name one of its members"),
        (("train", "--resume", "last"), "got an ensemble; go on with `dlexp ensemble last"),
        (("ensemble", "last", "last"), "got an ensemble; an ensemble is chosen from runs, sweeps and cvs"),
    ):
        refused = run(project, *command)
        assert refused.returncode == 2
        assert words in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_the_best_settings_of_a_sweep_predict_together_as_their_mean(project):
    sweep = next(path.name[:11] for path in (project / "runs" / "digits").iterdir() if (path / "trials").is_dir())
    together = json.loads(run(project, "predict", "--ensemble", sweep, "x.npy", "--json").stdout)
    trials = sorted((project / "runs" / "digits").glob("*/trials/*"))
    alone = [json.loads(run(project, "predict", str(path), "x.npy", "--json").stdout) for path in trials]
    assert together["models"] == 3
    for row in range(2):
        mean = np.mean([list(each["predictions"][row]["probabilities"].values()) for each in alone], 0)
        assert list(together["predictions"][row]["probabilities"].values()) == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("end", [None, math.nan])  # as JSON has it, too
def test_what_has_no_interval_is_said_to_have_none(end):
    standing = {"value": 1.0, "interval": [end, end]}
    score = {"metric": "val/accuracy", "flattered": 1.0, "mean_member": 1.0}
    score |= {"nested": standing, "best": standing, "equal": {"value": 0.5, "interval": [0.25, 0.75]}}
    console = Console(width=120, record=True)
    console.print(view._scores({"scores": [score]}))
    text = console.export_text()
    assert text.count("1.0000 (no interval)") == 2
    assert "0.5000 (0.2500 to 0.7500)" in text
    pair = {"a": "ensemble", "b": "best model", "difference": 0.1, "interval": [end, end], "verdict": "cannot tell"}
    pair |= {"test": "sign flips", "num": 5, "over": "folds", "p_holm": 0.0625}
    assert "ensemble - best model +0.1000 (no interval)" in view.verdict_of({**score, "pairs": [pair]}, "best model")
