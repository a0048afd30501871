"""The line of a training that failed: the first cause with its cure, and none where training worked or `off` is set."""

from pathlib import Path

import pytest

from dlexp.config.resolve import resolve
from dlexp.job.train import train
from dlexp.run.folder import RunFolder
from tests.diagnose.case import SMALL


def trained(place: Path, *overrides: str, epochs: int = 2):
    words = [*SMALL, f"trainer.epochs={epochs}", "norm=none", "model.widths=[16]", f"runs_dir={place}", *overrides]
    return train.start(resolve(words), announce=lambda _: lambda _: None)


@pytest.mark.parametrize(
    ("overrides", "rule", "override"),
    [
        (["init=zeros"], "symmetric", "init=kaiming_normal"),
        (["optimizer.lr=1e-7"], "lr_small", "optimizer.lr=0.01"),
        (["optimizer.lr=1e12"], "lr_large", "optimizer.lr=0.01"),
    ],
)
def test_one_finding_with_its_cure(tmp_path, overrides, rule, override):
    outcome = trained(tmp_path, *overrides)
    (line,) = [note for note in outcome.notes if note.startswith("finding")]
    assert line.startswith(f"finding {rule}: ")
    assert f"; try {override}: dlexp train" in line
    assert line.endswith(override)
    assert line in RunFolder.open(Path(outcome.result["run_dir"])).path.joinpath("log.txt").read_text()


def test_it_changes_no_number_and_is_silent_where_it_should_be(tmp_path):
    results = [trained(tmp_path / word, "optimizer.lr=1e-7", f"trainer.diagnose={word}") for word in ("auto", "off")]
    assert [any("finding" in note for note in each.notes) for each in results] == [True, False]
    assert results[0].result["metrics"] == results[1].result["metrics"]
    assert not any("finding" in note for note in trained(tmp_path, epochs=4).notes)


def test_a_training_that_works_is_not_looked_at(tmp_path, monkeypatch):
    looked: list[object] = []
    monkeypatch.setattr(train, "first_finding", lambda *given: looked.append(given) or [])
    assert trained(tmp_path, epochs=4).exit_code == 0
    assert looked == []
