"""Tables of cross-validations: what stands in which column, and what is said of folds that are all equal."""

import io
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from dlexp.job.outcome import Outcome
from tests import command

table = import_module("dlexp.cli.view.cv_table")  # installed from cli/, which type checkers cannot see
DLEXP = str(Path(sys.executable).parent / "dlexp")


def printed(show: Any, *arguments: Any) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    show(*arguments, console)
    return cast(io.StringIO, console.file).getvalue().splitlines()


def row(lines: list[str], first: str) -> list[str]:
    """Return the cells of the row that begins so."""
    line = next(line for line in lines if line.startswith(f"│ {first}"))
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_metric_has_mean_spread_both_intervals_and_the_pooled_value():
    key = "val/accuracy"
    result = {
        "mean": {key: 0.8},
        "std": {key: 0.1},
        "interval": {key: [0.7, 0.9]},
        "interval_corrected": {key: [0.65, 0.95]},
        "data": {"name": "d"},
        "out_of_fold": {"accuracy": 0.79},
    }
    lines = printed(table.show_result, result)
    assert row(lines, "accuracy") == ["accuracy", "0.8000", "0.1000", "0.7000 to 0.9000", "0.6500 to 0.9500", "0.7900"]
    assert lines[-1].startswith("Compare two settings")


def test_with_seeds_the_spreads_of_folds_and_seeds_stand_apart():
    key = "val/accuracy"
    result = {
        "mean": {key: 0.8},
        "std": {key: 0.1},
        "std_folds": {key: 0.02},
        "std_seeds": {key: 0.03},
        "interval": {key: [0.7, 0.9]},
        "interval_corrected": {key: [0.65, 0.95]},
        "data": {"name": "d"},
        "out_of_fold": {},
        "seeds": [0, 1, 2],
    }
    lines = printed(table.show_result, result)
    assert row(lines, "accuracy")[1:5] == ["0.8000", "0.1000", "0.0200", "0.0300"]
    assert any("over 3 seeds" in line for line in lines)


def test_settings_stand_best_first_and_one_without_a_value_shows_its_status():
    metric = "val/accuracy"
    scored = [
        {
            "run_id": name,
            "overrides": {"optimizer.lr": lr},
            "value": value,
            "mean": {metric: value},
            "std": {metric: 0.01},
            "interval_corrected": {metric: [value - 0.1, value + 0.1]},
            "against_best": told,
        }
        for name, lr, value, told in (("a", 0.1, 0.9, ""), ("b", 0.01, 0.8, "cannot tell"))
    ]
    failed = {"run_id": "c", "overrides": {"optimizer.lr": 9.0}, "value": None, "status": "diverged"}
    result = {
        "metric": metric,
        "settings": [*scored, *[dict(failed, against_best="")] * table.MOST_SETTINGS],
        "comparisons": [{"b": "b", "p_holm": 0.0001}],
        "compared_pairs": 1,
        "picked_among": 2,
        "note": "the best of 2 is flattered",
    }
    lines = printed(table.show_settings, result)
    assert row(lines, " 1")[:3] == ["1", "optimizer.lr=0.1", "0.9000"]
    assert row(lines, " 2") == [
        "2",
        "optimizer.lr=0.01",
        "0.8000",
        "0.0100",
        "0.7000 to 0.9000",
        "cannot tell",
        "<0.001",
    ]
    assert row(lines, " 3")[:3] == ["3", "optimizer.lr=9", "diverged"]
    assert any(line == "... and 2 more; --json has all" for line in lines)
    assert any("1 of the others cannot be told from it" in line for line in lines)


def test_an_audit_counts_folds_from_one_and_names_what_changed():
    fold = {"setting": {}, "repeat": 0, "fold": 1, "inner": None, "num_train": 80, "num_val": 20, "in_both": 0}
    fold |= {"groups_in_both": 0, "duplicates": 3, "changed": ["normalize"]}
    lines = printed(lambda audit, console: console.print(table.audit_table(audit)), {"folds": [fold]})
    assert row(lines, "1.2") == ["1.2", "80", "20", "0", "0", "3", "normalize"]


def test_a_cv_of_a_majority_predictor(tmp_path):
    rows = ["a,b,y", *(f"{i % 7},{i % 3},{'rare' if i % 10 == 0 else 'common'}" for i in range(100))]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    source = ["data=csv", "data.path=t.csv", "data.target=y", "data.test_fraction=0.0", "cv.k=5"]
    model = ["model=softmax", "init=zeros", "trainer.epochs=1", "optimizer.lr=0.01", "tracking=none"]
    done = command.run(tmp_path, "cv", *source, *model, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [fold["metrics"]["val/accuracy"] for fold in result["folds"]] == [0.9] * 5
    assert (result["std"]["val/accuracy"], result["interval"]["val/accuracy"]) == (0, [None, None])
    assert result["interval_corrected"]["val/accuracy"] == [None, None]
    assert "warning classes are unequal, 8 to 72 training examples: look at the metrics by class" in done.stderr
    accuracy = next(line for line in done.stderr.splitlines() if line.startswith("│ accuracy"))
    assert accuracy.count("all folds equal") == 2


def test_the_judged_metric_is_first_the_positive_class_is_named_and_a_guess_stands_beside():
    keys = ("val/loss", "val/accuracy", "val/f1")
    result = {
        **{kind: dict.fromkeys(keys, 0.8) for kind in ("mean", "std")},
        **{kind: {key: [0.7, 0.9] for key in keys} for kind in ("interval", "interval_corrected")},
        "out_of_fold": {},
        "metric": "val/accuracy",
        "data": {"positive": "sick"},
        "guess": {"metric": "val/accuracy", "value": 0.6124},
    }
    lines = [line for line in printed(table.show_result, result) if "0.8000" in line]
    assert ["accuracy" in lines[0], "loss" in lines[1], "f1 (sick)" in lines[2]] == [True, True, True]
    assert ["0.6124" in line for line in lines] == [True, False, False]


def test_folds_that_are_cut_short_are_not_counted():
    folds = [{"status": "finished"}, {"status": "interrupted"}]
    result = {"status": "interrupted", "folds": folds, "seconds": 1.0, "complete": False, "run_dir": "x"}
    lines = printed(import_module("dlexp.cli.view.cv").show, Outcome(result, 130, []))
    assert lines[0] == "interrupted after 1 fold, 1.0 s of training"
