from typing import Any

import numpy as np
import pytest
from PIL import Image

from dlexp.build.inspection import inspect
from dlexp.config.resolve import resolve


def test_a_table(tmp_path, drawn):
    path = tmp_path / "t.csv"
    rows = [f"{i}.5,{'ab'[i % 2]},{'' if i == 3 else i % 4},{['<$50k', '>$50k'][i // 2 % 2]}" for i in range(60)]
    path.write_text("\n".join(["n,c,g,y", *rows, rows[0]]))
    overrides = ["data=csv", f"data.path={path}", "data.target=y", "data.missing=impute"]
    document: Any = inspect(resolve(overrides), tmp_path / "t.png")
    assert document["num_examples"] == sum(part["num"] for part in document["parts"].values()) == 61
    assert document["class_names"] == ["<$50k", ">$50k"]
    assert sum(part["counts"]["<$50k"] for part in document["parts"].values()) == 31
    assert document["columns"] == [
        {"name": "n", "type": "number", "gaps": 0, "min": 0.5, "mean": pytest.approx(1800.5 / 61), "max": 59.5},
        {"name": "c", "type": "category", "gaps": 0, "counts": {"a": 31, "b": 30}},
        {"name": "g", "type": "number", "gaps": 1, "min": 0.0, "mean": pytest.approx(87 / 60), "max": 3.0},
    ]
    assert document["bytes"] == 61 * 4 * 8
    assert document["examples"][0]["inputs"].keys() == {"n", "c=a", "c=b", "g"}
    with Image.open(tmp_path / "t.png") as image:
        assert image.width > 100


def test_values_and_vectors(tmp_path):
    x = np.random.default_rng(0).normal(size=(50, 3))
    np.savez(tmp_path / "t.npz", x=x, y=1e9 + x[:, 0])
    document: Any = inspect(resolve(["data=arrays", f"data.path={tmp_path / 't.npz'}"]))
    assert document["task"] == "regression"
    assert document["parts"]["train"]["num"] == 30
    assert min(part["min"] for part in document["parts"].values()) == (1e9 + x[:, 0]).min()
    assert [column["name"] for column in document["columns"]] == ["0", "1", "2"]
    assert document["columns"][1]["max"] == x[:, 1].max()


def test_numbers_of_float32_are_told_by_the_digits_that_it_has():
    """Fisher's table: sepals of 4.3 to 7.9 cm, 876.5 / 150 in the mean."""
    document: Any = inspect(resolve(["data=iris"]))
    sepal = document["columns"][0]
    assert (sepal["min"], sepal["max"]) == (4.3, 7.9)
    assert sepal["mean"] == round(876.5 / 150, 6)
    assert all(number == round(number, 1) for number in document["examples"][0]["inputs"].values())


def test_pictures(tmp_path):
    for name, value in (("cat", 0), ("dog", 255)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(10):
            Image.new("L", (4, 4), value).save(tmp_path / "pets" / name / f"{i}.png")
    (tmp_path / "pets" / "cat" / "._0.png").write_bytes(b"")
    overrides = ["data=image_folder", f"data.path={tmp_path / 'pets'}", "data.cache=null", "data.color=grey"]
    document: Any = inspect(resolve([*overrides, "data.size=null"]), tmp_path / "t.png")
    assert document["channels"] == [pytest.approx({"mean": 0.5, "std": 0.5})]
    assert document["columns"] == []
    assert document["parts"]["test"]["counts"] == {"cat": 2, "dog": 2}
    assert document["duplicates"] == {"val": 4, "test": 4}
    assert "left out: 1 hidden entry" in document["warnings"]
    assert (tmp_path / "t.png").is_file()
