"""Pictures and the targets that a table has of them."""

import numpy as np
import pytest
from PIL import Image

from dlexp.data.folder import ImageFolder
from dlexp.data.joint.label import Labels
from dlexp.data.picture.labelled import Pictures, read_list
from dlexp.error import ConfigError, DataError

ROWS = ["file,kind,size", *(f"{i}.png,{['', 'a', 'b'][i % 3]},{i / 4 if i % 4 else ''}" for i in range(30))]


@pytest.fixture
def root(tmp_path):
    for i in range(30):
        Image.new("RGB", (4, 4), (8 * i, 0, 0)).save(tmp_path / f"{i}.png")
    (tmp_path / "l.csv").write_text("\n".join(ROWS))
    return tmp_path


def load(root, **settings):
    given = {"path": str(root), "labels": str(root / "l.csv"), "size": 4, "cache": None}
    return ImageFolder(**(given | settings)).load()


def test_several_columns_are_targets_that_rows_may_lack(root):
    data = load(root, target=["kind", "size"])
    assert data.task == "several"
    assert [(head.name, head.task, head.has_gaps) for head in data.heads] == [
        ("kind", "binary", True),
        ("size", "regression", True),
    ]
    assert data.targets[:5].nan_to_num(-1.0).tolist() == [[-1, -1], [0, 0.25], [1, 0.5], [-1, 0.75], [0, -1]]


def test_files_that_are_skipped_take_their_labels_along(root):
    whole = load(root, target=["kind", "size"])
    (root / "1.png").write_bytes(b"no picture")
    data = load(root, target=["kind", "size"], broken="skip")
    rest = [i for i in range(30) if i != 1]
    assert data.targets.nan_to_num(-1.0).tolist() == whole.targets[rest].nan_to_num(-1.0).tolist()


def test_the_only_column_may_have_another_name(root):
    rows = [f"{row.split(',')[0]},{'xy'[i % 2]}" for i, row in enumerate(ROWS[1:])]
    (root / "l.csv").write_text("\n".join(["file,parity", *rows]))
    assert load(root, target="parity").class_names == ["x", "y"]
    with pytest.raises(DataError, match=r"no column label \(data.target\); it has file, parity"):
        load(root)


def test_a_list_that_is_none_and_columns_without_a_table_are_refused(root):
    with pytest.raises(ConfigError, match=r"data.target: got kind twice"):
        load(root, target=["kind", "kind"])
    with pytest.raises(DataError, match=r"no column sise \(data.target\); .*did you mean size\?"):
        load(root, target=["kind", "sise"])
    with pytest.raises(ConfigError, match=r"data.target: got \['kind', 'size'\] without data.labels"):
        load(root, labels=None, target=["kind", "size"])
    with pytest.raises(DataError, match=r"data.labels names a table with a column file, and each target"):
        read_list(root, root / "none.csv", "utf-8", "auto", ["kind", "size"])


def test_what_is_left_out_is_named():
    pictures = Pictures(["a.png", "b.png"], [Labels("label", np.array(["x", "y"]), np.ones(2, dtype=bool))], None, [])
    rest = pictures.without({0: "damaged"})
    (labels,) = rest.labels
    assert isinstance(labels.values, np.ndarray)
    assert (rest.files, labels.values.tolist()) == (["b.png"], ["y"])
    assert "1 file left out: a.png" in rest.notes[0]
