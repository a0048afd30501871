"""Arrays of a file as targets, with gaps and parts."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from dlexp.data.array import Arrays
from dlexp.data.table import Table
from dlexp.error import ConfigError, DataError

X = np.random.default_rng(0).normal(size=(60, 3))
KIND = np.array(["", "a", "b"])[np.arange(60) % 3]
SIZE = np.where(np.arange(60) % 4, np.arange(60) / 4, np.nan)
CODE = np.where(np.arange(60) % 5, np.arange(60) % 2, np.nan)


def save(path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)


def load(tmp_path, *targets: str, **arrays: Any):
    return Arrays(path=save(tmp_path / "a.npz", x=X, **arrays), target=list(targets)).load()


def test_arrays_are_the_targets_that_columns_of_a_table_are(tmp_path):
    arrays = {"kind": KIND, "size": SIZE, "code": CODE}
    data = load(tmp_path, *arrays, **arrays)
    lines = [",".join(str(entry) for entry in row) for row in zip(*X.T, *arrays.values(), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["p,q,r,kind,size,code", *lines]))
    table = Table(path=str(tmp_path / "t.csv"), target=list(arrays)).load()
    assert data.task == table.task == "several"
    assert data.heads == table.heads
    assert torch.equal(data.targets.nan_to_num(-1.0), table.targets.nan_to_num(-1.0))
    assert all(torch.equal(getattr(data, part), getattr(table, part)) for part in ("train", "val", "test"))


def test_parts_have_arrays_of_their_own(tmp_path):
    bounds = {"train": slice(0, 40), "val": slice(40, 50), "test": slice(50, 60)}
    arrays = {
        f"{name}_{part}": whole[cut] for name, whole in (("kind", KIND), ("size", SIZE)) for part, cut in bounds.items()
    }
    arrays |= {f"x_{part}": X[cut] for part, cut in bounds.items()}
    data = Arrays(path=save(tmp_path / "p.npz", **arrays), target=["kind", "size"]).load()
    assert [len(data.train), len(data.val), len(data.test)] == [40, 10, 10]
    expected = [
        [-1.0 if k == "" else "ab".index(k), -1.0 if math.isnan(s) else s] for k, s in zip(KIND, SIZE, strict=True)
    ]
    assert data.targets.nan_to_num(-1.0).tolist() == expected
    arrays["kind_val"] = np.where(arrays["kind_val"] == "a", "c", arrays["kind_val"])
    save(tmp_path / "p.npz", **arrays)
    with pytest.raises(DataError, match=r"target kind: label 'c' of the val part \(rows 0, 3, 6, 9\) is out of range"):
        Arrays(path=str(tmp_path / "p.npz"), target=["kind", "size"]).load()


def test_the_only_target_may_have_another_name(tmp_path):
    np.savez(tmp_path / "a.npz", x=X, code=np.arange(60) % 2, class_names=np.array(["no", "yes"]))
    data = Arrays(path=str(tmp_path / "a.npz"), target="code").load()
    assert (data.task, data.class_names, data.targets.tolist()) == ("binary", ["no", "yes"], [0, 1] * 30)


@pytest.mark.parametrize(
    ("targets", "arrays", "error", "message"),
    [
        (
            ("y", "size"),
            {"y": np.stack([CODE, SIZE], 1)},
            DataError,
            r"y: got shape \(60, 2\).*data.target=\[a,b\] takes",
        ),
        (("kind", "sise"), {}, DataError, "no array sise; it has x, kind, size; did you mean size"),
        (("kind", "x"), {}, ConfigError, "data.target: got x; that array has the inputs"),
        (("kind", "none"), {"none": np.full(60, np.nan)}, DataError, "none: got a gap in every example"),
        (("kind", "far"), {"far": np.where(SIZE == 0.25, np.inf, SIZE)}, DataError, "far, row 1: got inf; a finite"),
        (
            ("kind", "far"),
            {"far": np.where(SIZE == 0.25, 1e200, SIZE)},
            DataError,
            "far, row 1: got 1e.200; errors are",
        ),
        (("kind", "size"), {"class_names": np.array(["a", "b"])}, DataError, "got an array class_names.*store texts"),
    ],
)
def test_what_cannot_be_targets(tmp_path, targets, arrays, error, message):
    with pytest.raises(error, match=message):
        load(tmp_path, *targets, kind=KIND, size=SIZE, **arrays)
