"""What a winner is worth: recomputed from what its trials stored, or not corrected, with the reason."""

import json
from typing import Any

import numpy as np
import pytest

from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.execution import group
from dlexp.job.sweep import sweep
from dlexp.job.sweep.selection_bias import selection_bias
from dlexp.job.train import train
from dlexp.run.folder import METRICS

SHARED = ["tracking=none", "trainer.threads=1", "model.widths=[8]", "trainer.epochs=3"]
LISTED = {"digits": "optimizer.lr=0.05,0.1,0.2", "diabetes": "optimizer.lr=0.01,0.02,0.04"}


class Nobody:
    def listen(self, event):
        pass

    def close(self):
        pass


def run(runs_dir, *overrides, data="digits") -> Any:
    limit = ["data.limit=300"] if data == "digits" else []
    shared = [text for text in SHARED if not any(o.startswith(text.partition("=")[0] + "=") for o in overrides)]
    given = [*shared, *limit, f"data={data}", f"runs_dir={runs_dir}", LISTED[data], *overrides]
    return sweep.start(given, None, announce=lambda _about: Nobody(), has_figures=False)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return run(tmp_path_factory.mktemp("runs"))


def test_of_accuracy(digits):
    best = digits.outcome.result["best"]
    low, high = best["corrected_interval"]
    assert best["picked_among"] == 3
    assert best["corrected_epochs"] is True
    assert best["corrected"] == pytest.approx(best["value"] - best["optimism"])
    assert 0 <= low < best["corrected"] < high <= 1
    # 359 examples: the standard error of a share p is sqrt(p (1 - p) / 358)
    reach = 1.96 * 1.15 * np.sqrt(best["value"] * (1 - best["value"]) / 358)
    assert (high - low) / 2 == pytest.approx(reach, rel=0.3)
    assert 0 < best["wins"] <= 1
    assert selection_bias(digits.ranking, "val/accuracy").items() <= best.items()


@pytest.mark.parametrize("metric", ["mse", "rmse", "mae", "r2", "huber", "loss"])
@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_values_are_corrected_in_the_metric_s_own_unit(tmp_path, loss, metric):
    given = [f"loss={loss}", f"search.metric=val/{metric}", *(["loss.delta=0.5"] if loss == "huber" else [])]
    best = run(tmp_path, *given, data="diabetes").outcome.result["best"]
    assert "not_corrected" not in best
    assert best["corrected_epochs"] is True
    low, high = best["corrected_interval"]
    assert low <= best["corrected"] <= high
    sign = 1 if metric == "r2" else -1
    assert best["corrected"] == pytest.approx(best["value"] - sign * best["optimism"])
    assert 0 <= best["optimism"] < 0.6 * abs(best["value"]) + 0.3 * (metric == "r2")


@pytest.mark.parametrize(
    ("metric", "overrides"),
    [
        ("loss", ["loss=cross_entropy", "loss.label_smoothing=0.1"]),
        ("loss", ["loss=cross_entropy", "loss.class_weight=balanced"]),
        ("loss", ["loss=bce", "loss.alpha=2"]),
        ("loss", ["loss=hinge"]),
        ("log_loss", ["trainer.fuse=3", "loss=cross_entropy", "loss.label_smoothing=0.1,0.2"]),
        ("log_loss", ["loss=hinge"]),
        ("log_loss", ["trainer.precision=fp64"]),
    ],
)
def test_losses_of_classes_are_corrected_with_their_epochs(tmp_path, metric, overrides):
    best = run(tmp_path, f"search.metric=val/{metric}", *overrides).outcome.result["best"]
    assert best["corrected_epochs"] is True
    assert best["corrected"] == pytest.approx(best["value"] + best["optimism"])


@pytest.mark.parametrize("metric", ["f1_macro", "roc_auc", "precision_macro", "calibration_error", "top5_accuracy"])
def test_a_metric_of_whole_outputs_is_corrected_but_for_its_epoch(tmp_path, metric):
    best = run(tmp_path, f"search.metric=val/{metric}").outcome.result["best"]
    assert best["corrected_epochs"] is False
    assert "no epoch's examples are kept" in best["corrected_notes"][0]
    assert best["optimism"] >= 0


def test_where_it_may_be_too_large_is_said(tmp_path):
    best = run(tmp_path, data="diabetes").outcome.result["best"]
    assert best["corrected_notes"] == ["of 88 examples the optimism of val/loss may be taken for a third too large"]


def test_few_errors_are_told(tmp_path):
    best = run(tmp_path / "many").outcome.result["best"]
    assert best["corrected_notes"] == []
    few = run(tmp_path / "few", "data.val_fraction=0.01", "trainer.epochs=8").outcome.result["best"]
    assert few["corrected_notes"][0].startswith("the best errs on ")


def test_seeds_are_averaged(tmp_path):
    best = run(tmp_path, "seed=0,1").outcome.result["best"]
    assert best["corrected"] == pytest.approx(best["value"] - best["optimism"])
    assert best["picked_among"] == 3


@pytest.mark.parametrize(
    ("metric", "reason"),
    [("val/median_error", "depends on each example is not known"), ("train/loss", "measured on the training part")],
)
def test_unknown_metrics_say_why(tmp_path, metric, reason):
    best = run(tmp_path, f"search.metric={metric}", data="diabetes").outcome.result["best"]
    assert reason in best["not_corrected"]
    assert "corrected" not in best


def corrected(sweep_run) -> Any:
    return selection_bias(sweep_run.ranking, "val/accuracy")


def folder_of_best(sweep_run):
    return sweep_run.ranking[0].results[0].folder


def test_a_value_that_cannot_be_recomputed_is_not_corrected(tmp_path):
    searched = run(tmp_path)
    path = folder_of_best(searched).path / METRICS
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[1]["val/accuracy"] += 1e-3
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for about in (path.parent / "checkpoints").glob("*/manifest.json"):  # as of a version that sealed no history
        about.write_text(
            json.dumps({key: value for key, value in json.loads(about.read_text()).items() if key != "history"})
        )
    assert "epoch 2: val/accuracy was recorded as" in corrected(searched)["not_corrected"]


def test_records_that_are_lost_leave_the_epoch_uncorrected(tmp_path):
    searched = run(tmp_path)
    (folder_of_best(searched).path / "epochs.bits").unlink()
    assert corrected(searched)["corrected_epochs"] is False


def test_other_examples_and_no_predictions_say_so(tmp_path):
    searched = run(tmp_path)
    folder = folder_of_best(searched)
    arrays = folder.predictions("val")
    folder.write_predictions("val", arrays["id"][::-1], arrays["target"], arrays["output"])
    assert "different examples" in corrected(searched)["not_corrected"]
    (folder.path / "predictions" / "val.npz").unlink()
    assert "no stored predictions" in corrected(searched)["not_corrected"]


def test_one_value_was_not_picked(tmp_path):
    given = [*SHARED[:3], "trainer.epochs=1", f"runs_dir={tmp_path}", "seed=0,1"]
    searched = sweep.start(given, None, announce=lambda _about: Nobody(), has_figures=False)
    best: Any = searched.outcome.result["best"]
    assert "picked_among" not in best


@pytest.mark.parametrize("fuse", ["off", "3"])
def test_killed_and_gone_on_with_it_keeps_the_same_records(tmp_path, monkeypatch, fuse):
    whole = run(tmp_path / "whole", f"trainer.fuse={fuse}")
    train_group, ends = group.train_group, []

    def cut_off(members, should_stop, limits):
        for told in train_group(members, should_stop, limits):
            yield told
            ends.append(isinstance(told[1], EpochEnd))
            if sum(ends) == 5:
                raise KeyboardInterrupt

    monkeypatch.setattr(group, "train_group", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", f"trainer.fuse={fuse}")
    monkeypatch.undo()
    again = run(tmp_path / "cut", f"trainer.fuse={fuse}")
    contents = [
        {entry.trial.id: (entry.folder.path / "epochs.bits").read_bytes() for entry in ranked.results}
        for searched in (whole, again)
        for ranked in sorted(searched.ranking, key=lambda ranked: ranked.number)
    ]
    assert len(contents) == 6
    assert contents[:3] == contents[3:]
    told = [searched.outcome.result["best"] for searched in (whole, again)]
    assert told[0]["corrected"] == told[1]["corrected"]
    assert told[0]["corrected_interval"] == told[1]["corrected_interval"]


def test_a_trial_whose_record_was_damaged_on_the_disk_is_trained_anew(tmp_path):
    searched = run(tmp_path)
    folder = folder_of_best(searched)
    path = folder.path / "epochs.bits"
    intact = path.read_bytes()
    path.write_bytes(intact[:-1] + b"\x00")
    again = run(tmp_path)
    assert folder_of_best(again).path == folder.path
    assert path.read_bytes() == intact


@pytest.mark.parametrize("fuse", ["off", "3"])
def test_min_delta_names_the_epoch_whose_weights_are_kept(tmp_path, fuse):
    given = ["trainer.min_delta=0.05", "trainer.patience=8", "trainer.epochs=8", f"trainer.fuse={fuse}"]
    searched = run(tmp_path, *given)
    is_last_best = []
    for ranked in searched.ranking:
        ended = ranked.results[0]
        history = [record["val/accuracy"] for record in ended.folder.history()]
        best = history[0]
        for value in history[1:]:  # the documented rule: an epoch is best when it beats the best by more than 0.05
            best = value if value - best > 0.05 else best
        arrays = ended.folder.predictions("val")
        assert ended.value == best
        assert (arrays["output"].argmax(1) == arrays["target"]).mean() == pytest.approx(best, abs=1e-6)
        is_last_best.append(best == max(history))
    assert not all(is_last_best), "else the test could not fail"
    lr = searched.ranking[0].settings["optimizer.lr"]
    given = [*SHARED[:3], *given, "data=digits", "data.limit=300", f"runs_dir={tmp_path}", f"optimizer.lr={lr}"]
    alone = train.start(resolve(given), announce=lambda _about: lambda _event: None)
    assert alone.result["metrics"]["val/accuracy"] == pytest.approx(searched.ranking[0].value, abs=0.01)


OWN = """
class Right:
    name = "share_right"
    higher_is_better = True

    def __call__(self, outputs, targets):
        return (outputs.argmax(-1) == targets).double().mean()
"""


def test_a_metric_of_the_user_s_is_corrected_as_its_namesake(tmp_path, monkeypatch):
    (tmp_path / "my_share.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    given = ["metric.extra=[my_share.Right]", "trusted=[my_share]", "trainer.epochs=1"]
    ours = run(tmp_path / "a", *given, "search.metric=val/accuracy").outcome.result["best"]
    theirs = run(tmp_path / "b", *given, "search.metric=val/share_right").outcome.result["best"]
    assert theirs["value"] == pytest.approx(ours["value"])
    assert theirs["picked_among"] == 3
    assert theirs["optimism"] >= 0
    width, of_groups = (high - low for low, high in (ours["corrected_interval"], theirs["corrected_interval"]))
    assert of_groups == pytest.approx(width, rel=0.3)  # a variance of 100 groups has a relative error of 0.14
    assert theirs["corrected"] == pytest.approx(ours["corrected"], abs=width / 8)
