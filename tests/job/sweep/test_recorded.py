from pathlib import Path
from typing import Any, cast

from dlexp.job.sweep.recorded import rank_records, trial_folder
from dlexp.run.folder import RunFolder


def trial(number, value, status="finished"):
    return {"number": number, "value": value, "status": status, "run_id": f"r{number}"}


def test_settings_stand_by_the_mean_of_their_seeds_and_those_with_a_failed_seed_are_left_out():
    trials = [trial(0, 0.5), trial(1, 0.9), trial(0, 0.7), trial(1, None, "failed"), trial(2, 0.65)]
    ranked = rank_records(cast(Any, {"mode": "max", "trials": trials}))
    assert [[each["value"] for each in of_setting] for of_setting in ranked] == [[0.65], [0.5, 0.7]]
    ranked = rank_records(cast(Any, {"mode": "min", "trials": trials}))
    assert [of_setting[0]["number"] for of_setting in ranked] == [0, 2]


def test_a_trial_is_where_the_sweep_was_moved_to(tmp_path):
    made = RunFolder.create(tmp_path, "x", "t", config={}, overrides=[], manifest={"kind": "trial"})
    made.unlock()
    elsewhere = Path("/nowhere") / made.path.parent.name / made.path.name
    assert trial_folder(RunFolder(tmp_path), {"run_dir": str(elsewhere)}).path == made.path
