"""Files that nobody here made, shipped by packages: what is read is what an independent reader says.

Prices of a share and of ten of them (matplotlib), diamonds written by pandas (pyarrow), photographs (scikit-learn).
"""

import csv
import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from dlexp.data.folder import ImageFolder
from dlexp.data.table import Table
from dlexp.error import DataError
from tests.present import present


def shipped(package: str, *parts: str) -> Path:
    """Return the place of a file in an installed package."""
    path = Path(present(present(importlib.util.find_spec(package)).origin)).parent.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{package} was installed without {path.name}")
    return path


def test_prices_of_a_share():
    """Its last column ends in a star, its dates are of the form 19-Sep-03, the newest first."""
    path = shipped("matplotlib", "mpl-data", "sample_data", "msft.csv")
    dataset = Table(path=str(path), target="Close", time="Date", time_format="%d-%b-%y").load()
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert dataset.targets.tolist() == [float(row["Close"]) for row in rows]
    names = ["Open", "High", "Low", "Volume", "Adj. Close*"]
    assert dataset.feature_names == names
    assert dataset.inputs.tolist() == [[float(row[name]) for name in names] for row in rows]
    assert dataset.train.min() > dataset.val.max() > dataset.test.max()
    assert rows[0]["Date"] == "19-Sep-03"
    assert 0 in dataset.test


def test_prices_below_a_comment(tmp_path):
    """Rows without a price are named as a spreadsheet counts them; the file without them is read."""
    path = shipped("matplotlib", "mpl-data", "sample_data", "Stocks.csv")
    comment, header, *lines = path.read_text().splitlines()
    assert comment.startswith("# Data source")
    rows = list(csv.DictReader([header, *lines]))
    gaps = [number for number, row in enumerate(rows, 3) if not row["IBM"]]
    shown = ", ".join(map(str, gaps[:10]))
    with pytest.raises(DataError, match=rf"rows {shown} and {len(gaps) - 10} more, column IBM: got ''; a target is"):
        Table(path=str(path), target="IBM", time="Date").load()
    copy = tmp_path / "whole.csv"
    copy.write_text("\n".join([comment, header, *(lines[i] for i, row in enumerate(rows) if row["IBM"])]))
    rows = [row for row in rows if row["IBM"]]
    names = ["AAPL", "MSFT", "^GSPC"]
    dataset = Table(path=str(copy), target="IBM", features=names, time="Date", missing="impute").load()
    assert dataset.targets.tolist() == [float(row["IBM"]) for row in rows]
    expected = [[float(row[name] or "nan") for name in names] for row in rows]
    np.testing.assert_array_equal(dataset.inputs.numpy(), expected)
    assert "1 comment line before the header left out" in dataset.notes[0]


def test_diamonds_of_pandas():
    path = shipped("pyarrow", "tests", "data", "parquet", "v0.7.1.parquet")
    dataset = Table(path=str(path), target="price").load("regression")
    rows = pyarrow.parquet.read_table(path).to_pylist()
    assert dataset.targets.tolist() == [row["price"] for row in rows]
    assert "__index_level_0__" not in present(dataset.feature_names)
    for name, values in zip(present(dataset.feature_names), dataset.inputs.T.tolist(), strict=True):
        column, _, level = name.partition("=")
        assert values == [float(row[column] == level) if level else row[column] for row in rows]


def test_photographs(tmp_path):
    """Copies of two photographs are classes: every pixel is what Pillow alone gives."""
    expected = []
    for name in ("china", "flower"):
        photograph = shipped("sklearn", "datasets", "images", f"{name}.jpg")
        (tmp_path / name).mkdir()
        for number in range(5):
            shutil.copy(photograph, tmp_path / name / f"{number}.JPG")
            with Image.open(photograph) as image:
                expected.append(np.asarray(image))
    dataset = ImageFolder(path=str(tmp_path), size=None, cache=None).load()
    assert dataset.class_names == ["china", "flower"]
    assert dataset.inputs.numpy().shape == (10, 427, 640, 3)
    np.testing.assert_array_equal(dataset.inputs.numpy(), expected)
