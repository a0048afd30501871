"""Whose models are averaged, by the names that users give; nothing is trained."""

import numpy as np
import pytest

from dlexp.error import RunError
from dlexp.job.ensemble.member import averaged, candidates, parse_places, split_refs
from dlexp.run.folder import RunFolder
from tests.job.compare import compared

TARGET = np.arange(60) % 3


def run(runs_dir, seed: int) -> RunFolder:
    return compared.write_run(runs_dir, compared.logits(seed, TARGET, 0.8), TARGET, seed=seed)


def shares(runs_dir, ref: str) -> dict[str, float]:
    together = averaged(ref, runs_dir, is_ensemble=True)
    assert together is not None
    assert sum(weight for _, weight in together.models) == pytest.approx(1)
    return {folder.run_id: round(weight, 6) for folder, weight in together.models}


def test_places_and_lists_are_read(tmp_path):
    assert parse_places("3f8a:1-5") == ("3f8a", (1, 5))
    assert parse_places("3f8a:3") == ("3f8a", (3, 3))
    assert parse_places("last") == ("last", None)
    for text in ("3f8a:0", "3f8a:4-2"):
        with pytest.raises(RunError, match="places are counted from 1"):
            parse_places(text)
    (tmp_path / "a,b").mkdir()
    assert split_refs(str(tmp_path / "a,b")) == [str(tmp_path / "a,b")]
    assert split_refs("a,b:2,c") == ["a", "b:2", "c"]


def test_every_run_setting_and_cv_has_the_same_weight(tmp_path):
    first, second = run(tmp_path, 1), run(tmp_path, 2)
    assert shares(tmp_path, f"{first.run_id},{second.run_id}") == {first.run_id: 0.5, second.run_id: 0.5}
    cv = compared.write_cv(tmp_path, 0, 0.8, k=4)
    assert set(shares(tmp_path, cv.run_id).values()) == {0.25}
    mixed = shares(tmp_path, f"{first.run_id},{cv.run_id}")
    assert mixed.pop(first.run_id) == 0.5
    assert set(mixed.values()) == {0.125}


def test_the_best_settings_of_a_sweep_speak_with_all_their_seeds(tmp_path):
    sweep = compared.write_sweep(tmp_path, TARGET, [0.5, 0.9, 0.7], 2, 0)
    trials = {number: [t.run_id for t in sweep.children()][2 * number : 2 * number + 2] for number in range(3)}
    assert shares(tmp_path, f"{sweep.run_id}:1-2") == dict.fromkeys([*trials[1], *trials[2]], 0.25)
    assert shares(tmp_path, sweep.run_id) == dict.fromkeys(trials[1], 0.5)
    with pytest.raises(RunError, match="got the place 5 of 3 settings with a value"):
        averaged(f"{sweep.run_id}:2-5", tmp_path, is_ensemble=True)
    assert len(candidates(sweep.run_id, tmp_path)) == 6
    assert [each.run_id for each in candidates(f"{sweep.run_id}:1", tmp_path)] == trials[1]


def test_settings_of_a_cv_have_places_too(tmp_path):
    cv = compared.write_settings(tmp_path, [0.9, 0.8, 0.7])
    assert len(candidates(cv.run_id, tmp_path)) == 3
    assert len(candidates(f"{cv.run_id}:2-3", tmp_path)) == 2
    assert len(shares(tmp_path, f"{cv.run_id}:1-2")) == 10
    with pytest.raises(RunError, match="a cv of 3 settings; name one of them"):
        averaged(cv.run_id, tmp_path, is_ensemble=True)


def test_what_has_no_mean_is_refused_in_one_line(tmp_path):
    single = run(tmp_path, 1)
    assert averaged(single.run_id, tmp_path, is_ensemble=False) is None
    for ref, words in (
        (single.run_id, "got a train of one model; a mean needs a cv, an ensemble, SWEEP:1-5"),
        (f"{single.run_id}:2", "only sweeps and cvs of several settings have places"),
        ("absent,last", "no such run"),
    ):
        with pytest.raises(RunError, match=words):
            averaged(ref, tmp_path, is_ensemble=True)
    (tmp_path / "net.pt2").touch()
    with pytest.raises(RunError, match="got an exported file; only runs can be averaged"):
        averaged(str(tmp_path / "net.pt2"), tmp_path, is_ensemble=True)
    fold = compared.write_cv(tmp_path, 0, 0.8).children()[0]
    fold.update_manifest(kind="fold")
    with pytest.raises(RunError, match="got a fold; an ensemble is chosen from runs, sweeps and cvs: name its cv"):
        candidates(str(fold.path), tmp_path)
    with pytest.raises(RunError, match="only sweeps and cvs of several settings have places"):
        candidates(f"{single.run_id}:1-2", tmp_path)
