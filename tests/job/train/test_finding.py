"""The finding of a training that failed stands in its result too, and a diagnosis that fails costs no result."""

from pathlib import Path

from dlexp.config.resolve import resolve
from dlexp.job.train import finding, train
from dlexp.run.folder import RunFolder
from tests.diagnose.case import SMALL
from tests.docs.test_schema import faults


def trained(place: Path, *overrides: str, epochs: int = 2):
    words = [*SMALL, f"trainer.epochs={epochs}", "norm=none", "model.widths=[16]", f"runs_dir={place}", *overrides]
    return train.start(resolve(words), announce=lambda _: lambda _: None)


def test_the_result_has_the_finding(tmp_path):
    outcome = trained(tmp_path, "init=zeros")
    cause = outcome.result.get("finding")
    assert cause is not None
    assert (cause["rule"], cause["override"]) == ("symmetric", "init=kaiming_normal")
    assert cause["consequence"].startswith("val/accuracy")
    stored = RunFolder.open(Path(outcome.result["run_dir"])).result
    assert stored is not None
    assert stored["finding"] == cause
    assert faults("train", outcome.result) == []


def test_no_finding_where_training_worked_or_none_is_wanted(tmp_path):
    assert "finding" not in trained(tmp_path, epochs=4).result
    assert "finding" not in trained(tmp_path, "init=zeros", "trainer.diagnose=off").result


def test_a_diagnosis_that_fails_is_told_and_no_more(tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("no such layer")

    monkeypatch.setattr(finding, "first_finding", fail)
    outcome = trained(tmp_path, "init=zeros")
    line = "warning: the diagnosis failed (RuntimeError: no such layer); the result is complete"
    assert (outcome.exit_code, outcome.notes[-1]) == (0, line)
    assert outcome.result["status"] == "finished"
