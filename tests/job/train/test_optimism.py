"""A run's best epoch: its value corrected for having been chosen by the part that it is measured on, or why not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.job.train import train
from dlexp.job.train.evidence import Candidate
from dlexp.job.train.optimism import Setting, optimism_of
from dlexp.run.folder import METRICS, RunFolder

QUICK = ["tracking=none", "trainer.threads=1", "model.widths=[8]"]


def run(runs_dir: Path, *overrides: str) -> Any:
    return train.start(resolve([*QUICK, *overrides, f"runs_dir={runs_dir}"]), announce=lambda _: lambda _event: None)


def random_labels(folder: Path, seed: int, num: int = 500) -> str:
    """Return the override for a table whose two classes nothing tells: every accuracy is 1/2 on examples anew."""
    draw = np.random.default_rng(seed)
    rows = np.column_stack([draw.standard_normal((num, 6)).round(4).astype(str), draw.permutation(num) % 2])
    path = folder / f"random{seed}.csv"
    path.write_text("a,b,c,d,e,f,y\n" + "".join(",".join(row) + "\n" for row in rows))
    return f"data.path={path}"


def test_on_random_labels_the_best_epoch_is_corrected_towards_a_guess(tmp_path):
    bests, corrected = [], []
    for seed in range(6):
        table = ["data=csv", random_labels(tmp_path, seed), "data.target=y"]
        result = run(tmp_path, *table, "data.test_fraction=0", "data.val_fraction=0.4", "trainer.epochs=12").result
        selection = result["selection"]
        low, high = selection["corrected_interval"]
        assert selection["metric"] == "val/accuracy"
        assert selection["corrected"] == pytest.approx(selection["value"] - selection["optimism"])
        assert low < 0.5 < high
        assert (selection["picked_among"], selection["corrected_epochs"]) == (1, True)
        assert "wins" not in selection
        stored = json.loads((Path(result["run_dir"]) / "result.json").read_text())
        assert stored["selection"] == selection
        bests.append(selection["value"])
        corrected.append(selection["corrected"])
    optimism, left = np.mean(bests) - 0.5, np.mean(corrected) - 0.5
    assert optimism > 0.02
    assert abs(left) < 0.029  # the mean of six shares of 200 has a standard error of 0.0144


def test_it_is_the_same_code_and_value_as_a_sweeps_of_one_setting(tmp_path):
    result = run(tmp_path, "data.limit=300", "trainer.epochs=4").result
    folder = RunFolder(Path(result["run_dir"]))
    value = result["selection"]["value"]
    candidate = Candidate(folder, folder.config, load_data(folder.config), 4, value)
    expected = optimism_of([Setting([candidate], value)], "val/accuracy")
    assert {key: result["selection"][key] for key in expected} == expected


@pytest.mark.parametrize("target", ["y", "[y,z]"])
def test_values_far_from_zero_are_corrected_as_the_same_near_it(tmp_path, target):
    draw = np.random.default_rng(3)
    inputs, noise = draw.normal(size=(60, 2)), draw.normal(size=(60, 2))
    corrected = []
    for offset in (0.0, 1e9):
        table = np.column_stack([inputs, inputs + 0.3 * noise + offset])
        path = tmp_path / f"far{offset:g}.csv"
        np.savetxt(path, table, delimiter=",", header="a,b,y,z", comments="", fmt="%.17g")
        about = ["data=csv", f"data.path={path}", f"data.target={target}", "trainer.monitor=val/loss"]
        selection = run(tmp_path, *about, "trainer.epochs=3", "optimizer.lr=0.01").result["selection"]
        corrected.append([selection["value"], selection["corrected"], *selection["corrected_interval"]])
    assert corrected[1] == pytest.approx(corrected[0], rel=1e-4)


def test_one_epoch_was_not_chosen(tmp_path):
    assert "selection" not in run(tmp_path, "data.limit=300", "trainer.epochs=1").result


@pytest.mark.parametrize(
    ("monitor", "data", "reason"),
    [
        ("train/loss", "diabetes", "train/loss is measured on the training part, which training flatters too"),
        ("val/median_error", "diabetes", "how much val/median_error depends on each example is not known"),
        ("val/f1_macro", "iris", "no epoch's examples are kept for val/f1_macro"),
    ],
)
def test_what_cannot_be_corrected_says_why(tmp_path, monitor, data, reason):
    result = run(tmp_path, f"data={data}", "trainer.epochs=2", f"trainer.monitor={monitor}").result
    assert result["selection"]["not_corrected"] == reason
    assert "corrected" not in result["selection"]


def test_a_resumed_run_has_the_correction_of_the_whole(tmp_path):
    def interrupted(_about):
        def listen(event):
            if getattr(event, "epoch", 0) == 2 and hasattr(event, "metrics"):
                raise KeyboardInterrupt

        return listen

    given = ["data.limit=300", "trainer.epochs=4", f"runs_dir={tmp_path / 'cut'}"]
    whole = run(tmp_path / "whole", *given[:2]).result["selection"]
    with pytest.raises(KeyboardInterrupt):
        train.start(resolve([*QUICK, *given]), announce=interrupted)
    assert list((tmp_path / "cut").rglob(METRICS))
    again = train.resume("last", tmp_path / "cut", announce=lambda _: lambda _event: None)
    assert again.result.get("selection") == whole
