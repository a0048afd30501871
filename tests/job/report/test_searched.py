from typing import Any, cast

from dlexp.job.report.searched import Sweep
from dlexp.run.folder import RunFolder

TRIALS = [
    {"number": 0, "run_id": "a", "round": 1, "status": "finished", "value": 0.5, "overrides": {"lr": 0.1, "seed": 0}},
    {"number": 1, "run_id": "b", "round": 2, "status": "finished", "value": 0.9, "overrides": {"lr": 0.3, "w": 8}},
    {"number": 2, "run_id": "c", "round": 2, "status": "failed", "value": None, "overrides": {"lr": 1.0}},
    {"number": 3, "run_id": None, "round": 2, "status": "invalid", "value": None, "overrides": {"lr": 2.0}},
]


def sweep(tmp_path, *overrides):
    folder = RunFolder.create(tmp_path, "x", "s", config={}, overrides=list(overrides), manifest={"kind": "sweep"})
    folder.unlock()
    result: Any = {"mode": "max", "trials": TRIALS, "importances": {"w": 0.7, "lr": 0.3}, "best": TRIALS[1]}
    return Sweep(folder, cast(Any, result))


def test_points_stand_best_first_and_invalid_settings_are_none(tmp_path):
    points = sweep(tmp_path).points
    assert [(point.run_id, point.value) for point in points] == [("1", 0.9), ("0", 0.5), ("2", None)]
    assert points[1].settings == {"lr": 0.1}


def test_dimensions_stand_by_importance_and_know_their_ranges(tmp_path):
    search = sweep(tmp_path, "lr=tag(log,interval(0.01,1))", "w=8,16", "data=digits")
    assert search.keys == ["w", "lr"]
    assert (search.dimensions["lr"].low, search.dimensions["lr"].high) == (0.01, 1)
    assert search.log_keys == {"lr"}
