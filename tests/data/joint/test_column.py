"""Columns of a file as targets, with gaps."""

import pytest
import torch

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.data.table import Table
from dlexp.error import DataError

ROWS = ["x,kind,size,code"] + [f"{n},{'ab'[n % 2] if n % 5 else ''},{n / 4},{n % 3}" for n in range(30)]


def load(tmp_path, *targets: str, lines: list[str] = ROWS, drop: tuple[str, ...] = ()):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines) + "\n")
    return Table(path=str(path), target=list(targets), drop=list(drop)).load()


def test_each_column_has_the_task_that_it_has_alone(tmp_path):
    data = load(tmp_path, "size", "kind", "code")
    assert data.task == "several"
    assert [(head.name, head.task, head.has_gaps) for head in data.heads] == [
        ("size", "regression", False),
        ("kind", "binary", True),
        ("code", "multiclass", False),
    ]
    assert data.targets[:3].nan_to_num(-1).tolist() == [[0, -1, 0], [0.25, 1, 1], [0.5, 0, 2]]
    assert data.feature_names == ["x"]


def test_the_parts_keep_the_shares_of_the_first_classes_without_gaps(tmp_path):
    data = load(tmp_path, "size", "kind", "code")
    assert data.strata is not None
    assert torch.bincount(data.strata[data.val]).tolist() == [2, 2, 2]
    assert data.strata.tolist() == [n % 3 for n in range(30)]


def test_a_column_without_any_label_is_refused(tmp_path):
    lines = ["x,a,b", *(f"{n},{n / 4}," for n in range(20))]
    with pytest.raises(DataError, match=r"column b: got ''; a target is needed in some row"):
        load(tmp_path, "a", "b", lines=lines)


def test_a_target_lacks_in_no_row_where_it_is_the_only_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(ROWS) + "\n")
    with pytest.raises(DataError, match="a target is needed in every row"):
        load_data(resolve(["data=csv", f"data.path={path}", "data.target=kind"]).config)
