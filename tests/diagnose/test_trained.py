"""The line of a training that failed: the first cause with its cure, and none where training worked or `off` is set."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.diagnose.trained import free_finding
from dlexp.job.train import finding, train
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


def test_the_updates_of_a_training_that_works_are_not_made_again(tmp_path, monkeypatch):
    again: list[object] = []
    monkeypatch.setattr(finding, "first_finding", lambda *given: again.append(given))
    assert trained(tmp_path, epochs=4).exit_code == 0
    assert again == []


SLOW = SimpleNamespace(losses=[2.4] * 10, steps={"weight": [1e-5] * 10}, dead={})
DEAD = SimpleNamespace(losses=[2.4] * 10, steps={"weight": [1e-2] * 10}, dead={"hidden.0.activation": 0.95})
WELL = SimpleNamespace(losses=[2.4] * 10, steps={"weight": [1e-2] * 10}, dead={"hidden.0.activation": 0.5})


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A training whose loss is that of a constant prediction after three epochs, and whose score is no guess."""
    words = ["norm=none", "model.widths=[16]", "trainer.epochs=3", "optimizer.lr=0.002", "trainer.batch_size=16"]
    place = tmp_path_factory.mktemp("slow")
    composed = resolve(["tracking=none", "trainer.threads=1", f"runs_dir={place}", *words])
    outcome = train.start(composed, announce=lambda _: lambda _: None)
    assert not any("no better than" in note for note in outcome.notes)
    assert outcome.result["metrics"]["train/loss"] > 0.9 * 2.303
    return assemble(composed.config), RunFolder.open(Path(outcome.result["run_dir"]))


@pytest.mark.parametrize(("watch", "rule"), [(SLOW, "lr_small"), (DEAD, "dead"), (WELL, None)])
def test_what_was_seen_on_the_way_needs_a_consequence(slow, watch, rule):
    seen = free_finding(watch, *slow)
    assert (None if seen is None else seen["rule"]) == rule
    if seen is not None:
        assert "is not below 0.9 of a constant prediction's" in seen["consequence"]
        assert seen["override"]
