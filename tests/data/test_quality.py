"""What is said of data before a score is trusted."""

from typing import Any

import numpy as np
import pytest
import torch

from dlexp.config.resolve import resolve
from dlexp.data.dataset import count_duplicates
from dlexp.data.digits import Digits
from dlexp.data.quality import describe_inputs, warn
from dlexp.data.synthetic import Fake
from dlexp.data.table import Table
from dlexp.job.train import train
from dlexp.run.folder import RunFolder

QUICK = ["trainer.epochs=1", "tracking=none", "trainer.threads=1", "trainer.batch_size=8", "model.widths=[8]"]


def trained(tmp_path, every, *overrides):
    """Train on 100 vectors of two classes, one of them in all three parts; return warnings and result."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(100, 4)).astype(np.float32)
    y = (np.arange(100) % every == 0).astype(int)
    parts = {"train": slice(0, 60), "val": slice(60, 80), "test": slice(80, 100)}
    x[[60, 80, 81]] = x[0]
    arrays: dict[str, Any] = {
        f"{name}_{part}": values[rows] for part, rows in parts.items() for name, values in (("x", x), ("y", y))
    }
    np.savez(tmp_path / "t.npz", **arrays)
    heard = []

    def announce(about):
        heard.extend(about.warnings)
        return lambda event: None

    settings = ["data=arrays", f"data.path={tmp_path / 't.npz'}", f"runs_dir={tmp_path / 'runs'}", *overrides]
    return heard, train.start(resolve([*QUICK, *settings]), announce=announce).result


@pytest.mark.parametrize(
    ("every", "overrides", "is_unequal", "is_advised"),
    [
        (2, [], False, False),
        (10, [], True, True),
        (10, ["trainer.oversample=true"], True, False),
        (10, ["loss=cross_entropy", "loss.class_weight=balanced"], True, False),
    ],
)
def test_duplicates_and_unequal_classes_are_told_and_kept(tmp_path, every, overrides, is_unequal, is_advised):
    result: Any
    heard, result = trained(tmp_path, every, *overrides)
    assert heard[:2] == [
        "1 example of val lying in train too, byte for byte: scores may be too good",
        "2 examples of test lying in train or val too, byte for byte: scores may be too good",
    ]
    assert [line.startswith("classes are unequal, 6 to 54 training examples") for line in heard[2:]] == (
        [True] if is_advised else []
    )
    manifest = RunFolder(tmp_path / "runs" / result["run_dir"]).manifest["data"]
    for data in (manifest, result["data"]):
        assert data["duplicates"] == {"val": 1, "test": 2}
        assert data["is_imbalanced"] is is_unequal
        assert sum(data["train_counts"].values()) == 60
    assert result["report"]["val"]["recall_class"].keys() == {"0", "1"}


def test_nothing_to_say():
    assert (
        warn(
            {"duplicates": {"val": 0, "test": 0}, "is_imbalanced": False},
            {"trainer": {"oversample": False}, "loss": {}},
        )
        == []
    )


def test_pictures_that_differ_in_one_byte_are_not_the_same():
    data = Fake(shape=[3, 20, 20], num_train=30, num_val=10, num_test=5).load()
    data.inputs[data.val[0]] = data.inputs[data.train[0]]
    data.inputs[data.val[1]] = data.inputs[data.train[1]]
    data.inputs[data.val[1], 0, 3, 1] ^= 1
    data.inputs[data.test[0]] = data.inputs[data.val[2]]
    assert count_duplicates(data) == {"val": 1, "test": 1}
    assert torch.equal(data.inputs[data.test[0]], data.inputs[data.val[2]])


def test_inputs_are_stated(tmp_path):
    lines = [f"{i % 5},{i % 9 / 2},{'uvw'[i % 3]},7,{'ab'[i % 2]}" for i in range(60)]
    (tmp_path / "t.csv").write_text("age,height,city,k,y\n" + "\n".join(lines))
    data = Table(path=str(tmp_path / "t.csv"), target="y").load()
    assert describe_inputs(data) == "3 numbers (age, height, k), 1 text (city, 3 levels); constant: k"


def test_pictures_have_no_columns():
    assert describe_inputs(Digits().load()) == ""
