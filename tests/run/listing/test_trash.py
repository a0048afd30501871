import pytest

from dlexp.error import RunError
from dlexp.run.listing import trash
from dlexp.run.scan import find, scan


@pytest.fixture
def runs(fake_run, tmp_path):
    """Two finished runs; return their folder and them."""
    made = [fake_run(), fake_run()]
    for run in made:
        run.end()
        run.folder.unlock()
    return tmp_path / "runs", [run.folder for run in made]


def test_there_and_back(runs):
    runs_dir, (first, second) = runs
    content = sorted(path.name for path in first.path.rglob("*"))
    (moved,) = trash.remove(runs_dir, [first.run_id])
    assert (moved["run_id"], [record["run_id"] for record in scan(runs_dir)]) == (first.run_id, [second.run_id])
    assert not first.path.exists()
    with pytest.raises(RunError, match="no such run"):
        find(runs_dir, first.run_id)
    assert trash.trashed(runs_dir) == [moved]
    (back,) = trash.restore(runs_dir, [first.run_id[:9]])
    assert back["run_dir"] == str(first.path)
    assert sorted(path.name for path in first.path.rglob("*")) == content
    assert trash.trashed(runs_dir) == []
    assert find(runs_dir, first.run_id).manifest["status"] == "finished"


def test_the_last_of_an_experiment_takes_its_folder_along(runs):
    runs_dir, (first, second) = runs
    trash.remove(runs_dir, [first.run_id, second.run_id, first.run_id])
    assert [path.name for path in runs_dir.iterdir()] == [trash.TRASH]
    assert len(trash.empty(runs_dir)) == 2
    assert list(runs_dir.iterdir()) == []
    assert trash.empty(runs_dir) == []


def test_a_run_that_a_process_has_stays(runs):
    runs_dir, (first, _) = runs
    first.lock()
    try:
        with pytest.raises(RunError, match="process"):
            trash.remove(runs_dir, [first.run_id])
    finally:
        first.unlock()
    assert first.path.exists()


def test_a_trial_stays_in_its_sweep(runs):
    runs_dir, (sweep, trial) = runs
    (sweep.path / "trials").mkdir()
    inner = trial.path.rename(sweep.path / "trials" / trial.path.name)
    with pytest.raises(RunError, match=f"got a run inside {sweep.run_id}; remove that whole: dlexp rm {sweep.run_id}"):
        trash.remove(runs_dir, [trial.run_id])
    assert inner.exists()


def test_a_sweep_whose_trials_another_counts_goes_with_it_only(runs):
    runs_dir, (first, second) = runs
    second.write_result({"trials": [{"run_dir": str(first.path / "trials" / "x")}, {"run_dir": None}]})
    with pytest.raises(RunError, match=f"{second.path.name} counts 1 of its trials, so remove both or neither"):
        trash.remove(runs_dir, [first.run_id])
    assert first.path.exists()
    assert len(trash.remove(runs_dir, [first.run_id, second.run_id])) == 2


def test_what_is_not_in_the_trash_is_told(runs):
    runs_dir, (first, second) = runs
    trash.remove(runs_dir, [first.run_id])
    with pytest.raises(RunError, match=f"got 0 runs in the trash that begin so; name one; there are {first.run_id}"):
        trash.restore(runs_dir, ["zzz"])
    trash.remove(runs_dir, [second.run_id])
    with pytest.raises(RunError, match="got 2 runs in the trash"):
        trash.restore(runs_dir, [first.run_id[:3]])
    assert trash.restore(runs_dir, ["last"])[0]["run_id"] == second.run_id
