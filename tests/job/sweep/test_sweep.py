"""A sweep from its command to its result, on digits."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dlexp.config.compose import logged_params
from dlexp.config.resolve import resolve
from dlexp.error import ConfigError, RunError
from dlexp.job.report.sweep import page_of_sweep
from dlexp.job.sweep import sweep
from dlexp.job.sweep.loop import RoundBegin, TrialDone
from dlexp.job.train.train import start
from dlexp.run.folder import RunFolder
from dlexp.run.listing.page import page
from dlexp.search.random import Random
from dlexp.search.strategy import Proposal, Round
from tests.picture import are_pictures

SHARED = ["tracking=none", "trainer.threads=1", "data.limit=300", "model.widths=[16]"]
SMALL = [*SHARED, "trainer.epochs=2"]


class Heard:
    def __init__(self):
        self.events = []

    def listen(self, event):
        self.events.append(event)

    def close(self):
        pass

    def trained(self):
        return [event.result.trial.overrides for event in self.events if isinstance(event, TrialDone) and event.is_new]


def run(runs_dir, *overrides, epochs=2, has_figures=False) -> tuple[Any, Heard]:
    heard = Heard()
    written = {text.partition("=")[0] for text in overrides}
    shared = [text for text in SHARED if text.partition("=")[0] not in written]
    findings = sweep.start(
        [*shared, f"trainer.epochs={epochs}", f"runs_dir={runs_dir}", *overrides],
        None,
        announce=lambda _about: heard,
        has_figures=has_figures,
    )
    return findings, heard


def test_a_grid_and_what_scripts_rely_on(tmp_path, drawn):
    findings, heard = run(tmp_path, "optimizer.lr=0.01,0.1,1", has_figures=True)
    result = findings.outcome.result
    assert findings.outcome.exit_code == 0
    assert {"kind", "run_id", "run_dir", "status", "strategy", "metric", "mode", "trials", "best", "groups"} <= set(
        result
    )
    assert [record["overrides"] for record in result["trials"]] == [{"optimizer.lr": lr} for lr in (0.01, 0.1, 1.0)]
    values = [record["value"] for record in result["trials"]]
    assert result["best"]["value"] == max(values)
    assert result["best"]["edges"] == ["optimizer.lr: upper"]
    assert result["best"]["picked_among"] == 3
    assert result["best"]["corrected"] == pytest.approx(result["best"]["value"] - result["best"]["optimism"])
    for record in result["trials"]:
        folder = RunFolder.open(tmp_path / record["run_dir"])
        assert folder.manifest["status"] == "finished"
        assert folder.predictions("val")["output"].shape[1] == 10
        assert (folder.checkpoints / "best" / "weights.safetensors").exists()
    figures = RunFolder.open(tmp_path / result["run_dir"]).figures
    assert are_pictures(figures, "dimensions", "curves"), "parallel coordinates begin with three dimensions"
    assert len(heard.trained()) == 3


def test_the_winner_s_command_trains_the_winner(tmp_path):
    findings, _ = run(tmp_path, "optimizer.lr=0.03,0.3", "trainer.fuse=off")
    best = findings.outcome.result["best"]
    overrides = findings.ranking[0].results[0].trial.composed.overrides
    alone = start(resolve(overrides), announce=lambda _about: lambda _event: None).result
    assert alone["metrics"]["val/accuracy"] == best["value"]


def test_a_sweep_goes_on_with_the_threads_it_began_with(tmp_path, monkeypatch):
    command = ["optimizer.lr=0.01,0.1", "trainer.threads=null", "model=cnn", "model.widths=[2]", "data.limit=60"]
    monkeypatch.setattr("dlexp.device.TORCH_THREADS", 2)
    first, _ = run(tmp_path, *command, epochs=1)
    gone = first.outcome.result["trials"][1]
    shutil.rmtree(gone["run_dir"])
    monkeypatch.setattr("dlexp.device.TORCH_THREADS", 1)
    again, heard = run(tmp_path, *command, epochs=1)
    assert heard.trained() == [gone["overrides"]]
    assert again.outcome.result["trials"][1]["metrics"] == gone["metrics"]
    assert RunFolder(Path(gone["run_dir"])).manifest["threads"] == 2


def test_the_same_command_again_and_a_wider_one_train_what_is_missing(tmp_path):
    first, _ = run(tmp_path, "optimizer.lr=0.01,0.1")
    again, heard = run(tmp_path, "optimizer.lr=0.01,0.1")
    assert heard.trained() == []
    assert again.outcome.result["run_id"] == first.outcome.result["run_id"]
    assert again.outcome.result["trials"] == first.outcome.result["trials"]
    wider, heard = run(tmp_path, "optimizer.lr=0.01,0.1,1")
    assert heard.trained() == [{"optimizer.lr": 1.0}]
    assert wider.outcome.result["run_id"] != first.outcome.result["run_id"]
    _, heard = run(tmp_path, "optimizer.lr=0.1", "seed=0,1", "search=random")
    assert len(heard.trained()) == 1
    longer, heard = run(tmp_path, "optimizer.lr=0.01,0.1", "search=random")
    assert heard.trained() == []
    assert longer.outcome.exit_code == 0


def test_resume_gives_the_command_again(tmp_path):
    runs_dir = tmp_path / "o'brien a \\ and $HOME"  # what a grammar and a shell would read otherwise
    first, _ = run(runs_dir, "optimizer.lr=0.01,0.1")
    heard = Heard()
    again = sweep.resume("last", runs_dir, None, announce=lambda _about: heard, has_figures=False)
    assert again.outcome.result["run_id"] == first.outcome.result["run_id"]
    assert heard.trained() == []
    alone = start(resolve([*SMALL, f"runs_dir={runs_dir}"]), announce=lambda _about: lambda _event: None)
    newer = sweep.resume("last", runs_dir, None, announce=lambda _about: heard, has_figures=False)
    assert newer.outcome.result["run_id"] == first.outcome.result["run_id"]  # the newest sweep, whatever was run since
    with pytest.raises(RunError, match="dlexp train --resume"):
        sweep.resume(alone.result["run_id"], runs_dir, None, announce=lambda _about: heard, has_figures=False)


def test_seeds_are_replicates(tmp_path):
    findings, _ = run(tmp_path, "optimizer.lr=0.003,0.3", "seed=range(0,3)")
    result = findings.outcome.result
    assert len(result["trials"]) == 6
    best = [record["value"] for record in result["trials"] if record["overrides"]["optimizer.lr"] == 0.3]
    assert result["best"]["value"] == pytest.approx(sum(best) / 3)
    assert result["best"]["seeds"] == 3
    assert result["best"]["std"] > 0
    assert result["best"]["overrides"] == {"optimizer.lr": 0.3}


def test_a_search_without_rounds_says_that_it_depends_on_timing_and_replays(tmp_path):
    command = ["optimizer.lr=tag(log,interval(1e-3,1))", "search=hyperband", "search.asynchronous=true"]
    command += ["search.trials=4", "search.eta=2"]
    findings, heard = run(tmp_path, *command, epochs=4)
    result = findings.outcome.result
    assert result["depends_on_timing"]
    assert any("which trials ended first" in note for note in findings.outcome.notes)
    assert sorted(trial["epochs"] for trial in result["trials"]) == [1, 1, 2, 4]
    assert len(heard.trained()) == 7
    folder = RunFolder.open(tmp_path / result["run_dir"])
    told = page_of_sweep(folder, page(folder))
    assert any("which trials ended first" in note for note in told.notes)
    decisions = (folder.path / "decisions.jsonl").read_bytes()
    shutil.rmtree(result["trials"][0]["run_dir"])
    again, heard = run(tmp_path, *command, epochs=4)
    assert len(heard.trained()) == 1, "the trial whose folder is gone, for the table alone"
    assert (folder.path / "decisions.jsonl").read_bytes() == decisions
    varying = ("seconds", "run_dir")
    tables = [
        [{k: v for k, v in t.items() if k not in varying} for t in r["trials"]] for r in (result, again.outcome.result)
    ]
    assert tables[0] == tables[1]


def test_halving_goes_on_from_the_checkpoint(tmp_path):
    findings, heard = run(
        tmp_path, "optimizer.lr=tag(log,interval(1e-3,1))", "search=hyperband", "search.trials=4", "search.eta=2",
        "trainer.fuse=off", epochs=4,
    )  # fmt: skip
    begun = [event.round for event in heard.events if isinstance(event, RoundBegin)]
    assert [[p.until for p in round_.proposals] for round_ in begun] == [[1] * 4, [2] * 2, [None]]
    best = findings.outcome.result["best"]
    folder = RunFolder.open(tmp_path / best["run_dir"])
    assert [record["epoch"] for record in folder.history()] == [1, 2, 3, 4]
    overrides = findings.ranking[0].results[0].trial.composed.overrides
    whole = start(resolve([*overrides]), announce=lambda _about: lambda _event: None).result
    assert whole["metrics"]["val/loss"] == best["metrics"]["val/loss"]
    epochs = sorted(record["epochs"] for record in findings.outcome.result["trials"])
    assert epochs == [1, 1, 2, 4]


def test_what_fails_is_recorded_and_the_sweep_goes_on(tmp_path):
    findings, _ = run(tmp_path, "optimizer.lr=0.1,1e30", "norm=none", "trainer.batch_size=8")
    result = findings.outcome.result
    assert [record["status"] for record in result["trials"]] == ["finished", "diverged"]
    assert result["best"]["overrides"] == {"optimizer.lr": 0.1}
    assert findings.outcome.exit_code == 0


def test_settings_that_cannot_be_trained_are_refused_or_skipped(tmp_path):
    wrong = ["model=mlp", "norm=group", "norm.num_groups=4,3"]  # groups of 3 do not divide 16 features
    with pytest.raises(ConfigError, match=r"1 of 2 settings cannot be trained: norm.num_groups=3: .* must divide"):
        run(tmp_path, *wrong)
    assert list(tmp_path.iterdir()) == []
    findings, heard = run(tmp_path, *wrong, "search.invalid=skip")
    records = findings.outcome.result["trials"]
    assert [record["status"] for record in records] == ["finished", "invalid"]
    assert "3" in records[1]["error"]
    assert len(heard.trained()) == 1
    (begin,) = [event for event in heard.events if isinstance(event, RoundBegin)]
    assert begin.round.notes[0].startswith("skipped norm.num_groups=3: ")


def test_a_later_round_s_invalid_setting_is_recorded_and_the_search_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(Random, "propose", _two_rounds)
    for invalid, status in (("refuse", "failed"), ("skip", "invalid")):
        findings, _ = run(tmp_path, "trainer.batch_size=8,5000", "search=random", f"search.invalid={invalid}")
        assert [r["status"] for r in findings.outcome.result["trials"]] == ["finished", status, "finished"]
        assert "5000" in findings.outcome.result["trials"][1]["error"]


def _two_rounds(self, _problem):
    scores = yield Round(1, [Proposal(0, {"trainer.batch_size": 8})])
    if scores[0] is None:
        return  # looked at before anything is trained
    scores = yield Round(2, [Proposal(n, {"trainer.batch_size": size}) for n, size in ((1, 5000), (2, 16))])
    assert scores[0] is None
    assert scores[1] is not None


def test_all_failed(tmp_path):
    findings, _ = run(tmp_path, "optimizer.lr=1e30,1e31", "norm=none", "search.stop_after_failures=5")
    assert findings.outcome.exit_code == 1
    assert findings.outcome.result["best"] is None
    assert findings.outcome.result["status"] == "failed"


def test_limits(tmp_path):
    findings, heard = run(
        tmp_path, "optimizer.lr=1e30,1e31,0.1", "norm=none", "search.stop_after_failures=1", "trainer.fuse=off"
    )
    assert len(heard.trained()) == 1
    assert "stop_after_failures" in findings.outcome.notes[0]
    findings, heard = run(tmp_path, "optimizer.lr=0.1,0.2", "search.max_seconds=1e-9")
    assert heard.trained() == []
    assert findings.outcome.result["best"] is None


def test_another_metric(tmp_path):
    findings, _ = run(tmp_path, "optimizer.lr=0.01,0.1", "search.metric=val/loss")
    result = findings.outcome.result
    assert result["mode"] == "min"
    assert result["best"]["value"] == min(record["value"] for record in result["trials"])
    with pytest.raises(ConfigError, match=r"search\.mode"):
        run(tmp_path, "optimizer.lr=0.01,0.1", "search.metric=val/loss", "search.mode=max")


def test_trials_log_what_the_search_set(tmp_path):
    findings, _ = run(tmp_path, "optimizer.lr=0.01,0.1")
    folder = findings.ranking[0].results[0].folder
    assert folder.manifest["params"] == {"optimizer.lr": 0.1}
    assert "trainer.threads" in logged_params(resolve(SMALL))
    json.dumps(findings.outcome.result)
