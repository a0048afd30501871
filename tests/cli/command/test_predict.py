"""`dlexp predict` as users and scripts run it."""

import csv
import json

import numpy as np
import pytest


@pytest.fixture
def flowers(tmp_path):
    path = tmp_path / "flowers.npy"
    np.save(path, np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5], [5.8, 2.7, 4.1, 1.0]], np.float32))
    return path


def test_each_example_has_a_class_and_its_probability(dlexp, flowers):
    code, out, err = dlexp("predict", "last", str(flowers), "--json")
    assert code == 0, err
    predictions = json.loads(out)["predictions"]
    assert len(predictions) == 3
    for entry in predictions:
        assert entry["class"] in ("setosa", "versicolor", "virginica")
        assert 1 / 3 <= entry["probability"] <= 1, "that of the likeliest of three"
    assert all(entry["class"] in err for entry in predictions)


def test_a_file_has_what_the_table_has(dlexp, flowers, tmp_path):
    path = tmp_path / "predictions.csv"
    code, out, err = dlexp("predict", "last", str(flowers), "--out", str(path))
    assert (code, err) == (0, "")
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert all(row["class"] in out for row in rows)
    assert out.rstrip().endswith(str(path))


def test_of_many_examples_the_first_are_shown_and_the_others_counted(dlexp, tmp_path):
    path = tmp_path / "many.npy"
    np.save(path, np.zeros((25, 4), np.float32))
    code, out, _ = dlexp("predict", "last", str(path))
    assert code == 0
    assert "... and 5 more; --out FILE.csv or --json has all" in out


def test_files_that_are_not_there_and_runs_that_are_no_ensemble_are_one_line(dlexp, flowers):
    for arguments in (["predict", "last", "nothing.npy"], ["predict", "last", str(flowers), "--ensemble"]):
        code, out, err = dlexp(*arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)


def test_a_place_that_cannot_be_written_to_is_refused_before_predicting(dlexp, flowers, tmp_path):
    for name, reason in (("no/p.csv", f"there is no folder {tmp_path / 'no'}"), ("p.xlsx", "ending in .csv")):
        code, out, err = dlexp("predict", "last", str(flowers), "--out", str(tmp_path / name))
        assert (code, out) == (2, "")
        assert f"--out: got {tmp_path / name}; " in err
        assert reason in err
