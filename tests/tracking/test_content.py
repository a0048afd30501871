import math

import pytest

from dlexp.run.folder import RunFolder
from dlexp.tracking import content
from dlexp.tracking.content import Monitor

HISTORY = [
    {"epoch": 1, "step": 5, "time": 10.0, "lr": 0.1, "val/loss": 3.0, "val/accuracy": 0.5},
    {"epoch": 2, "step": 10, "time": 11.5, "lr": 0.1, "val/loss": math.nan, "val/accuracy": 0.7},
    {"epoch": 3, "step": 15, "time": 13.0, "lr": 0.1, "val/loss": 2.0, "val/accuracy": 0.6},
]


def values(name, chosen, after=0, until=3):
    return [point.value for point in content.points(HISTORY, chosen, after, until) if point.name == name]


def test_points_carry_epoch_and_time():
    first = next(content.points(HISTORY, Monitor("val/accuracy", True), 1, 3))
    assert (first.name, first.value, first.time, first.epoch) == ("best/val_accuracy", 0.7, 11500, 2)
    names = {point.name for point in content.points(HISTORY, Monitor("val/accuracy", True), 0, 3)}
    assert names == {"lr", "val/loss", "val/accuracy", "best/val_accuracy"}


def test_the_best_so_far_does_not_depend_on_the_batches_sent():
    higher, lower = Monitor("val/accuracy", True), Monitor("val/loss", False)
    assert values("best/val_accuracy", higher) == [0.5, 0.7, 0.7]
    assert values("best/val_loss", lower) == [3.0, 3.0, 2.0]
    assert values("best/val_accuracy", higher, 2, 3) == [0.7]
    assert values("best/val_accuracy", higher, 0, 1) == [0.5]


def test_a_first_value_that_is_not_a_number_is_no_best():
    history = [{"epoch": 1, "time": 1.0, "val/loss": math.nan}, {"epoch": 2, "time": 2.0, "val/loss": 1.0}]
    points = [point for point in content.points(history, Monitor("val/loss", False), 0, 2) if "best" in point.name]
    assert math.isnan(points[0].value)
    assert points[1].value == 1.0


def test_the_monitor_is_the_stated_one():
    assert content.monitor({}, HISTORY) == ("val/accuracy", True)
    assert content.monitor({}, [{"epoch": 1, "val/loss": 1.0}]) == ("val/loss", False)
    assert content.monitor({"monitor": {"metric": "val/loss", "mode": "min"}}, HISTORY) == ("val/loss", False)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("running", 2), ("killed", 2), ("interrupted", 2), ("failed", 2), ("finished", 3), ("diverged", 3)],
)
def test_what_may_be_written_again_is_not_sent(fake_run, status, expected):
    run = fake_run()
    run.train(1, 3, unsaved=1)
    manifest = {**run.folder.manifest, "status": status}
    assert content.last_safe_epoch(run.folder, manifest, run.folder.history()) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("model@x=1", "model_x_1"), ("val/f1_macro", "val/f1_macro"), ("ä", "_")]
)
def test_names_are_those_that_mlflow_takes(name, expected):
    assert content.clean_name(name) == expected


def test_a_value_is_whole_as_far_as_mlflow_allows():
    columns = [f"a_rather_long_column_{i:03d}" for i in range(60)]
    sent = content.params({"params": {"data.drop": columns, "data.gaps": ["x" * 7000]}})
    assert all(name in sent["data.drop"] for name in columns)
    assert len(sent["data.drop"]) > 1500
    assert len(sent["data.gaps"]) == 6000


def test_signature_and_dataset(fake_run):
    manifest = fake_run().folder.manifest
    signature = content.signature(manifest)
    assert signature is not None
    assert '"shape": [-1, 64]' in signature["inputs"]
    described = content.dataset(manifest)
    assert described is not None
    assert (described["name"], len(described["digest"])) == ("digits", 16)
    assert content.signature({}) is None
    assert content.dataset({}) is None


def test_the_metric_that_runs_are_compared_by_is_sent_first():
    assert next(content.points(HISTORY, Monitor("val/accuracy", True), 0, 3)).name == "best/val_accuracy"


def test_a_run_s_name_keeps_its_exponents(tmp_path):
    name = content.run_name(RunFolder(tmp_path / "abc-x"), {"slug": "mlp-lr0.1-weight4.6e-05"})
    assert name == "mlp lr0.1 weight4.6e-05 abc"


def test_a_run_from_a_sweep_s_winner_says_so(tmp_path):
    folder = RunFolder(tmp_path / "abc-x")
    tags = content.tags(folder, {"status": "finished", "from": {"sweep": "s", "trial": "t"}})
    assert tags["dlexp.from"] == '{"sweep": "s", "trial": "t"}'
    assert "dlexp.from" not in content.tags(folder, {"status": "finished"})


@pytest.mark.parametrize(
    ("params", "target", "expected"),
    [
        ({}, "dlexp.model.inception.GoogLeNet", "inception"),  # a trial, whose params are what differs
        ({"model": "mlp,cnn"}, "dlexp.model.mlp.MLP", "mlp,cnn"),
        ({}, "my_parts.two_paths.TwoPaths", "TwoPaths"),
    ],
)
def test_a_model_is_called_by_its_option_in_runs_trials_and_sweeps(tmp_path, params, target, expected):
    manifest = {"kind": "trial", "model": target.rpartition(".")[2], "params": params}
    folder = RunFolder.create(
        tmp_path, "e", "s", config={"model": {"_target_": target}}, overrides=[], manifest=manifest
    )
    assert content.tags(folder, folder.manifest)["dlexp.model"] == expected
    folder.unlock()


def test_the_page_of_a_run_is_an_artifact(tmp_path):
    folder = RunFolder.create(tmp_path, "x", "y", config={}, overrides=[], manifest={"kind": "train"})
    folder.write("report.html", "<!DOCTYPE html>")
    folder.unlock()
    assert (folder.path / "report.html", "") in content.artifacts(folder, weights=False)


@pytest.mark.parametrize(
    "result",
    [
        {
            "kind": "sweep",
            "metric": "val/accuracy",
            "trials": [
                {"number": number, "metrics": {"val/accuracy": value, "val/loss": 2 * value}}
                for number, value in ((0, 0.9), (0, 0.7), (1, 0.5))
            ],
            "best": {"number": 0, "value": 0.8, "metrics": {"val/accuracy": 0.9, "val/loss": 1.8}},
            "metrics": {"sweep/best": 0.8},
        },
        {
            "kind": "cv",
            "metric": "val/accuracy",
            "folds": [],
            "metrics": {"val/accuracy": 0.8, "val/loss": 1.6},
            "mean": {"val/accuracy": 0.8, "val/loss": 1.6},
            "std": {},
            "out_of_fold": {},
        },
        {
            "kind": "cv",
            "metric": "val/accuracy",
            "settings": [{"mean": {"val/accuracy": 0.8, "val/loss": 1.6}}, {"mean": {"val/accuracy": 0.1}}],
            "metrics": {"cv/best": 0.8},
        },
    ],
)
def test_a_sweep_and_a_cv_have_their_tabled_values_under_the_names_of_a_training(tmp_path, result):
    folder = RunFolder.create(tmp_path, "x", "y", config={}, overrides=[], manifest={"kind": result["kind"]})
    folder.write_result({"status": "finished", **result})
    manifest = {"start": "2026-01-01T00:00:00+00:00", "end": None, "monitor": {"metric": "val/accuracy", "mode": "max"}}
    points = {point.name: point.value for point in content.final_points(folder, manifest, [])}
    folder.unlock()
    assert {name: value for name, value in points.items() if name.startswith("best/")} == pytest.approx(
        {"best/val_accuracy": 0.8, "best/val_loss": 1.6}
    )
