import pytest

from dlexp.error import ConfigError
from dlexp.run.folder import RunFolder
from dlexp.run.listing import note
from dlexp.run.listing.column import check_columns, columns
from dlexp.run.listing.ranking import rank, records_of

SORT = "metrics.val/accuracy"


def add(runs_dir, *overrides, experiment="digits", metric="val/accuracy", kind="train", params=None):
    monitor = {"metric": metric, "mode": "max"}
    described = {
        "kind": kind,
        "monitor": monitor,
        "params": {"model": "mlp", "norm": "batch", "data": "digits", **(params or {})},
    }
    folder = RunFolder.create(runs_dir, experiment, "x", config={}, overrides=list(overrides), manifest=described)
    metrics = {metric: 0.5, "val/bias": 0.1, "train/loss": 0.5}
    folder.write_result({"kind": kind, "metrics": metrics, "epochs": 3, "seconds": 1.5})
    folder.update_manifest(status="finished")
    folder.unlock()
    return folder


def test_score_and_status_come_right_after_the_run_and_what_all_share_is_not_shown(tmp_path):
    add(tmp_path)
    identity = ["run_id", "metrics.val/accuracy", "status", "done"]
    rest = ["start", "took", "metrics.train/loss", "metrics.val/bias"]
    assert columns(records_of(rank(tmp_path)), SORT) == [*identity, *rest]
    add(tmp_path, "optimizer.lr=0.2", params={"optimizer.lr": 0.2})
    assert columns(records_of(rank(tmp_path)), SORT) == [*identity, "params.optimizer.lr", *rest]


def test_what_follows_from_another_column_is_not_shown(tmp_path):
    add(tmp_path, "model=mlp", "trainer.epochs=3", "data=digits", params={"trainer.epochs": 3})
    add(tmp_path, "model=softmax", "trainer.epochs=5", params={"model": "softmax", "norm": "none", "trainer.epochs": 5})
    add(tmp_path, "search=grid", kind="sweep", params={"search": "grid"})
    names = [name for name in columns(records_of(rank(tmp_path)), SORT) if name.startswith("params.")]
    assert names == ["params.model"], "norm follows from the model, epochs from those done, search from the kind"
    add(tmp_path, "search=tpe", kind="sweep", params={"search": "tpe"})
    assert "params.search" in columns(records_of(rank(tmp_path)), SORT)


def test_runs_that_are_judged_differently_have_two_columns_for_it(tmp_path):
    add(tmp_path, "data=digits")
    add(tmp_path, "data=price", experiment="price", metric="val/rmse", params={"data": "price"})
    names = columns(records_of(rank(tmp_path)), "-start")
    assert names[:5] == ["run_id", "experiment", "metric", "value", "status"]
    assert "params.data" not in names


def test_what_is_sorted_by_is_always_shown(tmp_path):
    add(tmp_path, "optimizer.lr=0.2", params={"optimizer.lr": 0.2})
    assert columns(records_of(rank(tmp_path)), "params.optimizer.lr")[:4] == [
        "run_id",
        "metrics.val/accuracy",
        "status",
        "params.optimizer.lr",
    ]
    assert columns(records_of(rank(tmp_path)), "-metrics.train/loss")[1] == "metrics.train/loss"


def test_notes_and_tags_are_shown_where_there_are_any(tmp_path):
    folder = add(tmp_path)
    note.write(folder.path, note="odd", add=[], remove=[])
    assert "note" in columns(records_of(rank(tmp_path)), SORT)
    assert "tags" not in columns(records_of(rank(tmp_path)), SORT)


def test_a_list_equals_what_was_typed(tmp_path):
    add(tmp_path, "model.widths=[8,16]", params={"model.widths": [8, 16]})
    add(tmp_path, "model.widths=[8,16]", params={"model.widths": "[8,16]"})
    assert "params.model.widths" not in columns(records_of(rank(tmp_path)), SORT)


def test_columns_may_be_named_as_they_are_headed(tmp_path):
    add(tmp_path, "optimizer.lr=0.1", "search.lr=1", params={"optimizer.lr": 0.1, "search.lr": 1, "model.depth": 2})
    records = records_of(rank(tmp_path))
    headed = ["run", "started", "took", "val/bias", "depth", "optimizer.lr", "kind"]
    full = ["run_id", "start", "took", "metrics.val/bias", "params.model.depth", "params.optimizer.lr", "kind"]
    assert check_columns(headed, records) == full
    with pytest.raises(ConfigError, match="--columns: got lr; choose"):
        check_columns(["lr"], records)  # two end so


def test_columns_that_a_user_names(tmp_path):
    add(tmp_path)
    records = records_of(rank(tmp_path))
    names = ["run_id", "took", "params.model", "metrics.val/bias", "note"]
    assert check_columns(names, records) == names
    with pytest.raises(
        ConfigError, match=r"--columns: got metrics\.val/acuracy; no run has it; did you mean metrics\.val/a"
    ):
        check_columns(["metrics.val/acuracy"], records)
    with pytest.raises(ConfigError, match=r"--columns: got statsu; choose .*did you mean status"):
        check_columns(["statsu"], records)
