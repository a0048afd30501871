"""How a command ended: exit codes, notes, and that whatever cuts a run short is recorded and passed on."""

import pytest

from dlexp.error import DataError
from dlexp.job.outcome import Outcome, exit_code, ignore, recorded
from dlexp.run.folder import RunFolder


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path, "x", "y", config={}, overrides=[], manifest={"kind": "train"})
    yield made
    made.unlock()


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (DataError("no rows"), "failed", "failed: DataError: no rows"),
        (ZeroDivisionError("oh"), "failed", "failed: ZeroDivisionError: oh"),
        (KeyboardInterrupt(), "interrupted", "stopped at once by KeyboardInterrupt()"),
        (SystemExit(143), "interrupted", "stopped at once by SystemExit(143)"),
    ],
    ids=["data", "ours", "ctrl-c", "term"],
)
def test_what_cuts_a_run_short_is_recorded_and_passed_on(folder, error, status, line):
    with pytest.raises(type(error)) as raised, recorded(folder):
        raise error
    assert raised.value is error
    assert folder.manifest["status"] == status
    assert folder.manifest["end"] is not None
    assert (folder.path / "log.txt").read_text().rstrip().endswith(line)


def test_a_disk_that_cannot_take_the_record_hides_nothing(folder, monkeypatch):
    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(RunFolder, "log", full)
    with pytest.raises(ZeroDivisionError), recorded(folder):
        raise ZeroDivisionError


def test_what_goes_well_is_not_touched(folder):
    with recorded(folder):
        pass
    assert folder.manifest["status"] == "running"
    assert not (folder.path / "log.txt").exists()


@pytest.mark.parametrize(
    ("status", "code"),
    [("finished", 0), ("stopped_early", 0), ("failed", 1), ("diverged", 3), ("interrupted", 130), ("killed", 130)],
)
def test_exit_codes(status, code):
    assert exit_code(status, of_signal=130) == code


def test_a_warning_joins_the_notes_of_a_new_outcome():
    outcome = Outcome({"status": "finished"}, 0, ["first"])
    assert outcome.warned("second").notes == ["first", "second"]
    assert outcome.warned(None) is outcome
    assert outcome.notes == ["first"]
    ignore(outcome)
