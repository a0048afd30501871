"""What each side of a comparison brings: predictions by fold and seed, sorted by id, and what set it apart."""

import numpy as np
import pytest

from dlexp.error import RunError
from dlexp.job.compare.side import load_side, load_trained
from tests.job.compare import compared as made

TARGET = np.arange(60) % 3


def test_a_run_has_one_part_sorted_by_id(tmp_path):
    output = made.logits(0, TARGET, 0.9)
    ids = [f"{row:02}" for row in reversed(range(60))]
    folder = made.write_run(tmp_path, output, TARGET, ids=ids, settings={"optimizer.lr": 0.1})
    side = load_side(tmp_path, folder.run_id)
    (predictions,) = side.splits[0, 0]
    assert list(side.splits) == [(0, 0)]
    assert predictions.ids.tolist() == sorted(ids)
    assert predictions.targets.tolist() == TARGET[::-1].tolist()
    assert (predictions.outputs == output[::-1]).all()
    assert (side.kind, side.seeds, side.picked_among) == ("train", ["0"], 0)
    assert side.overrides == ["optimizer.lr=0.1"]


def test_the_folds_of_a_cv_are_its_parts(tmp_path):
    cv = made.write_cv(tmp_path, 0, 0.9, k=3, num=60, seeds=2)
    side = load_side(tmp_path, cv.run_id)
    assert (side.kind, side.seeds) == ("cv", ["0", "1"])
    assert sorted(side.splits) == [(0, 0), (0, 1), (0, 2)]
    assert [len(predictions) for predictions in side.splits.values()] == [2, 2, 2]
    assert {p.num_train for predictions in side.splits.values() for p in predictions} == {4 * 20}


def test_a_sweep_enters_by_its_best_setting_and_a_place_names_another(tmp_path):
    sweep = made.write_sweep(tmp_path, TARGET, [0.3, 0.95, 0.6], seeds=2, first=0)
    best = load_side(tmp_path, sweep.run_id)
    assert (best.overrides, best.picked_among, best.seeds) == (["optimizer.lr=0.2"], 3, ["0", "1"])
    second = load_side(tmp_path, f"{sweep.run_id}:2")
    assert (second.run_id, second.overrides, second.picked_among) == (f"{sweep.run_id}:2", ["optimizer.lr=0.3"], 0)
    assert len(second.run_ids) == 2
    for place in (0, 4):
        with pytest.raises(RunError, match=f"got the place {place} of 3 settings with a value"):
            load_side(tmp_path, f"{sweep.run_id}:{place}")


def test_a_cv_of_several_settings_enters_by_its_best(tmp_path):
    cv = made.write_settings(tmp_path, [0.9, 0.5])
    best, second = load_side(tmp_path, cv.run_id), load_side(tmp_path, f"{cv.run_id}:2")
    assert (best.run_id, best.overrides, best.picked_among) == (cv.run_id, ["optimizer.lr=0"], 2)
    assert (second.overrides, second.picked_among) == (["optimizer.lr=1"], 0)


def test_what_did_not_come_to_its_end_is_refused_with_the_cure(tmp_path):
    failed = made.write_run(tmp_path, made.logits(0, TARGET, 0.9), TARGET, status="failed")
    with pytest.raises(
        RunError, match=f"got a train that is failed; finish it with `dlexp train --resume {failed.path}`"
    ):
        load_side(tmp_path, failed.run_id)
    cv = made.write_cv(tmp_path, 0, 0.9, k=3, num=60, complete=False)
    with pytest.raises(RunError, match=r"incomplete \(2 of 3 folds\)"):
        load_side(tmp_path, cv.run_id)


def test_only_sweeps_and_cvs_of_settings_have_places(tmp_path):
    run = made.write_run(tmp_path, made.logits(0, TARGET, 0.9), TARGET)
    with pytest.raises(RunError, match="only sweeps and cvs of several settings have places"):
        load_side(tmp_path, f"{run.run_id}:1")


def test_the_training_that_is_meant(tmp_path):
    run = made.write_run(tmp_path, made.logits(0, TARGET, 0.9), TARGET)
    assert load_trained(tmp_path, run.run_id).path == run.path
    sweep = made.write_sweep(tmp_path, TARGET, [0.3, 0.95], seeds=1, first=0)
    assert load_trained(tmp_path, sweep.run_id).overrides == ["optimizer.lr=0.2"]
    cv = made.write_cv(tmp_path, 0, 0.9, k=3, num=60)
    with pytest.raises(RunError, match="got a cv, which differs from others in its data too"):
        load_trained(tmp_path, cv.run_id)
