"""The noise of seeds of real small runs: sources apart, resumed, nothing trained twice."""

from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError, DataError, RunError
from dlexp.job.compare import seed_noise
from dlexp.job.sweep import sweep
from dlexp.job.sweep.document import SweepResult
from dlexp.job.sweep.loop import TrialDone
from dlexp.job.train.train import start
from dlexp.run.folder import RunFolder

measure = partial(seed_noise.measure, has_figures=False)
QUICK = ["tracking=none", "trainer.threads=1", "data.limit=200", "trainer.epochs=2"]


class Heard:
    """Counts the trials that each source trained, and the sources."""

    def __init__(self):
        self.new: dict[str, int] = {}

    def __call__(self, source: str, number: int, total: int):
        self.new[source] = 0
        assert number == len(self.new) <= total
        self.total = total
        self.source = source
        return lambda about: self

    def listen(self, event):
        self.new[self.source] += isinstance(event, TrialDone) and event.is_new

    def close(self):
        pass


def train(runs_dir: Path, *overrides: str) -> RunFolder:
    ended = start(resolve([*QUICK, f"runs_dir={runs_dir}", *overrides]), announce=lambda _about: lambda _event: None)
    return RunFolder.open(Path(ended.result["run_dir"]))


def measured(folder: RunFolder, num: int = 3, **more) -> tuple[Any, dict[str, int]]:
    heard = Heard()
    outcome = measure(folder.run_id, folder.runs_dir, num, announce=heard, **more)
    assert outcome.exit_code == 0
    assert outcome.document is not None
    assert heard.total == len(heard.new)
    return outcome.document, heard.new


def test_sources_apart_then_nothing_anew_then_only_what_is_missing(tmp_path):
    folder = train(tmp_path, "seed=1", "dropout=inverted", "dropout.p=0.3")
    document, trained = measured(folder)
    assert trained == {"init": 3, "order": 3, "dropout": 3, "all": 3}
    by_source = {record["source"]: record for record in document["sources"]}
    assert by_source["augment"] == {
        "source": "augment",
        "name": "augmentation",
        "key": "seeds.augment",
        "is_absent": True,
        "why": "augment=none draws nothing",
    }
    for record in (by_source["init"], by_source["order"], document["all"]):
        assert (record["num"], record["seeds"]) == (3, ["0", "1", "2"])
        assert record["std"] == pytest.approx(np.std(record["values"], ddof=1))
        assert record["interval"][0] <= record["std"] <= record["interval"][1]
    # the run's own seeds are among those of each source
    for source in ("init", "order", "dropout"):
        assert by_source[source]["values"][1] == document["value"]
    assert document["all"]["values"][1] == document["value"]
    assert document["least_difference"] > document["all"]["std"]

    again, trained = measured(folder)
    assert trained == {"init": 0, "order": 0, "dropout": 0, "all": 0}
    assert again == document

    more, trained = measured(folder, 4, metric="log_loss")
    assert trained == {"init": 1, "order": 1, "dropout": 1, "all": 1}
    assert (more["metric"], more["seeds"]) == ("val/log_loss", 4)


def test_what_changes_nothing_plays_no_part(tmp_path):
    runs_dir = tmp_path / "o'brien a \\ and $HOME"  # what a grammar and a shell would read otherwise
    folder = train(runs_dir, "model=softmax", "init=zeros")
    document, _ = measured(folder, 2)
    assert [record["source"] for record in document["sources"] if not record["is_absent"]] == ["order"]
    assert document["sources"][0]["why"] == "2 seeds gave equal outputs"


def test_a_sweeps_winner_and_a_trial_of_it(tmp_path):
    ended = sweep.start(
        [*QUICK, f"runs_dir={tmp_path}", "optimizer.lr=1e-6,0.1"],
        None,
        announce=lambda _about: Heard()("all", 1, 1)(None),
        has_figures=False,
    )
    result: Any = ended.outcome.result
    document, trained = measured(RunFolder.open(Path(result["run_dir"])), 2)
    assert document["run_id"] == result["best"]["run_id"]
    assert document["value"] == pytest.approx(result["best"]["value"])
    assert trained == {"init": 2, "order": 2, "all": 1}  # seed 0 is the sweep's own
    worst = next(trial for trial in result["trials"] if trial["run_id"] != result["best"]["run_id"])
    again = measure(worst["run_dir"], tmp_path, 2, announce=Heard()).document
    assert again is not None
    assert again["value"] == pytest.approx(worst["value"])


def test_interrupted_it_has_no_document_and_the_signals_code(tmp_path, monkeypatch):
    folder = train(tmp_path)

    def stopped(*args, **more):
        ended = sweep.start(*args, **more)
        ended.outcome.result["status"] = "interrupted"
        return type(ended)(type(ended.outcome)(ended.outcome.result, 130, []), [], ended.spec, "")

    monkeypatch.setattr(seed_noise, "sweep", type("Stopped", (), {"start": staticmethod(stopped)}))
    assert measure(folder.run_id, tmp_path, 2, announce=Heard()) == seed_noise.Measured(folder.run_id, None, 130)


def test_refused_with_the_reason(tmp_path):
    folder = train(tmp_path)
    with pytest.raises(ConfigError, match="--metric: got f1_macr"):
        measure(folder.run_id, tmp_path, 2, "f1_macr", announce=Heard())
    folder.update_manifest(kind="fold")
    with pytest.raises(RunError, match="got a fold, which differs from others in its data too"):
        measure(folder.run_id, tmp_path, 2, announce=Heard())
    folder.update_manifest(kind="train", status="diverged")
    with pytest.raises(RunError, match="got a train that is diverged"):
        measure(folder.run_id, tmp_path, 2, announce=Heard())


def test_other_seeds_that_break_have_no_deviation(tmp_path):
    folder = train(tmp_path)
    result = cast(SweepResult, {"trials": [{"status": "finished"}, {"status": "diverged"}], "run_id": "s"})
    with pytest.raises(RunError, match=r"1 of 2 runs with other seeds \(initialisation\) diverged"):
        seed_noise._read("init", result, folder)


def test_data_that_changed_since_are_refused(tmp_path):
    rows = [f"{i % 7},{i % 2}" for i in range(80)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    table = ["data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y"]
    folder = train(tmp_path / "runs", *table)
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows[1:], "9,1"]))
    with pytest.raises(DataError, match=f"the data changed since run {folder.run_id} began"):
        measured(folder)
    assert not list((tmp_path / "runs").rglob("trials"))


def test_the_users_yaml_is_found_where_the_run_found_it(tmp_path):
    (tmp_path / "mine" / "optimizer").mkdir(parents=True)
    (tmp_path / "mine" / "optimizer" / "slow.yaml").write_text(
        "_target_: dlexp.optimizer.sgd.SGD\nlr: 0.01\nweight_decay: 0.0\nbiases: false\n"
    )
    given = [*QUICK, f"runs_dir={tmp_path / 'runs'}", "optimizer=slow", "data=wine"]
    ended = start(resolve(given, tmp_path / "mine"), announce=lambda _about: lambda _event: None)
    document, trained = measured(RunFolder.open(Path(ended.result["run_dir"])), 2)
    assert trained["all"] == 2
    assert document["value"] == ended.result["metrics"]["val/accuracy"]
