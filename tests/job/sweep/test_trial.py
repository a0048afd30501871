"""How a trial ended, read from its folder alone: by status, and as it stood at the epoch of a pause."""

import pytest

from dlexp.build.components import Components
from dlexp.config.compose import Composed
from dlexp.job.sweep.trial import Trial, TrialResult, by_id, read_result
from dlexp.run.folder import RunFolder
from dlexp.search.strategy import Proposal
from tests.job.sweep.untrained import DATA

ACCURACY = [0.5, 0.8, 0.7]


@pytest.fixture
def make(tmp_path):
    def make(status: str, epochs: int = 3, run_id: str | None = None, **manifest) -> RunFolder:
        about = {"kind": "trial", "monitor": {"metric": "val/accuracy", "mode": "max"}, **manifest}
        folder = RunFolder.create(tmp_path, "trials", "t", config={}, overrides=[], manifest=about, run_id=run_id)
        for epoch, value in enumerate(ACCURACY[:epochs], start=1):
            metrics = {"val/accuracy": value, "val/loss": 1 - value / 2}
            folder.append_epoch({"epoch": epoch, "step": epoch, "lr": 0.1, **metrics, "seconds": 2.0})
        folder.update_manifest(status=status)
        folder.unlock()
        return folder

    return make


def result_of(folder: RunFolder, metric: str, until: int | None = None) -> TrialResult | None:
    proposal, composed = Proposal(4, {"optimizer.lr": 0.1}, until=until), Composed({}, {}, [], [])
    return read_result(Trial("abc", proposal, 2, 7, composed, Components({}, DATA)), folder, metric)


def test_the_value_is_the_metric_of_the_best_epoch_by_the_monitor(make):
    end = result_of(make("finished"), "val/loss")
    assert end is not None
    assert (end.status, end.value, end.epochs, end.seconds) == ("finished", pytest.approx(0.6), 3, 6.0)
    assert end.metrics == {"val/accuracy": 0.8, "val/loss": pytest.approx(0.6)}


@pytest.mark.parametrize("status", ["running", "interrupted", "killed"])
def test_what_has_something_left_to_train_has_no_result(make, status):
    assert result_of(make(status), "val/accuracy") is None


def test_a_failure_has_its_reason(make):
    end = result_of(make("failed", epochs=0, reason="no memory"), "val/accuracy")
    assert end is not None
    assert (end.status, end.value, end.metrics, end.reason) == ("failed", None, {}, "no memory")


def test_a_pause_is_the_end_for_who_asked_for_it_and_for_nobody_else(make):
    paused = make("stopped_early", epochs=2, paused_at=2)
    end = result_of(paused, "val/accuracy", until=2)
    assert end is not None
    assert (end.status, end.value, end.epochs) == ("stopped_early", 0.8, 2)
    assert result_of(paused, "val/accuracy") is None
    assert result_of(paused, "val/accuracy", until=3) is None


def test_what_came_after_a_pause_is_not_looked_at(make):
    end = result_of(make("diverged"), "val/accuracy", until=1)
    assert end is not None
    assert (end.status, end.value, end.epochs, end.seconds) == ("stopped_early", 0.5, 1, 2.0)


def test_the_record_has_what_was_asked_and_how_it_ended(make):
    folder = make("failed", epochs=1, reason="no memory")
    result = result_of(folder, "val/accuracy")
    assert result is not None
    assert not result.is_whole
    assert result.record() == {
        "run_id": "abc",
        "run_dir": str(folder.path),
        "number": 4,
        "round": 2,
        "status": "failed",
        "overrides": {"optimizer.lr": 0.1, "seed": 7},
        "value": 0.5,
        "metrics": {"val/accuracy": 0.5, "val/loss": 0.75},
        "epochs": 1,
        "seconds": 2.0,
        "error": "no memory",
    }


def test_folders_by_id(make, tmp_path):
    first, second = make("finished", run_id="abc"), make("failed", run_id="def")
    assert by_id(tmp_path) == {"abc": first.path, "def": second.path}
