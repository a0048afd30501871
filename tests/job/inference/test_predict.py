"""New examples are read as the run's own were, so that they get the answers stored for them."""

import csv
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError, DataError
from dlexp.job.inference.predict import predict, write
from dlexp.job.train import train
from dlexp.run.folder import RunFolder
from tests.present import present

QUICK = ["trainer.epochs=1", "tracking=none", "trainer.threads=1", "trainer.batch_size=8", "model.widths=[8]"]
DRAW = np.random.default_rng(0)


def trained(runs_dir, *overrides) -> RunFolder:
    composed = resolve([*QUICK, *overrides, f"runs_dir={runs_dir}"])
    return RunFolder.open(runs_dir / train.start(composed, announce=lambda about: lambda event: None).result["run_dir"])


@pytest.fixture(scope="module")
def pets(tmp_path_factory) -> tuple:
    """A run on pictures of different sizes."""
    root = tmp_path_factory.mktemp("pets")
    for i in range(30):
        path = root / "data" / ("train" if i < 20 else "val") / ["cat", "dog"][i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(DRAW.integers(0, 256, (6 + i % 3, 9, 3), dtype=np.uint8)).save(path)
    settings = ["data=image_folder", f"data.path={root / 'data'}", "data.size=6", "data.fit=pad", "data.cache=null"]
    return root, trained(root / "runs", *settings)


def test_pictures(pets):
    root, folder = pets
    predicted = predict("last", root / "runs", [root / "data" / "val", root / "data" / "train" / "cat" / "0.png"])
    stored = folder.predictions("val")
    logits = torch.from_numpy(stored["output"])
    expected = torch.cat([torch.zeros_like(logits), logits], 1).softmax(1)
    said: dict[str, Any] = {entry["id"]: entry for entry in predicted["predictions"]}
    assert len(said) == 11
    for id, row in zip(stored["id"], expected.tolist(), strict=True):
        entry = said[str(root / "data" / id)]
        assert entry["probabilities"] == pytest.approx({"cat": row[0], "dog": row[1]}, abs=1e-5)
        assert entry["class"] == max(entry["probabilities"], key=entry["probabilities"].get)


def test_files_are_written(pets, tmp_path):
    root, _ = pets
    predicted = predict("last", root / "runs", [root / "data" / "val"])
    write(predicted, tmp_path / "p.csv")
    write(predicted, tmp_path / "p.parquet")
    with (tmp_path / "p.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "class", "probability", "probability cat", "probability dog"]
    assert [row["class"] for row in rows] == [entry.get("class") for entry in predicted["predictions"]]
    assert pyarrow.parquet.read_table(tmp_path / "p.parquet").num_rows == len(rows) == 10
    with pytest.raises(ConfigError, match=r"--out: got p.txt; a file ending in .csv or .parquet"):
        write(predicted, tmp_path.__class__("p.txt"))


def test_rows_of_a_table_in_another_order_of_columns(tmp_path):
    sizes, places = DRAW.normal(30, 9, 80).round(3), DRAW.choice(["north", "south"], 80)
    rows = [(size, place, f"{size * 1000 + 5:.1f}") for size, place in zip(sizes, places, strict=True)]
    (tmp_path / "a.csv").write_text("\n".join(["size,place,price", *(f"{s},{p},{y}" for s, p, y in rows)]))
    (tmp_path / "b.csv").write_text("\n".join(["place,more,size", *(f"{p},0,{s}" for s, p, _ in rows)]))
    folder = trained(tmp_path / "runs", "data=csv", f"data.path={tmp_path / 'a.csv'}", "data.target=price")
    values = [
        present(entry.get("value")) for entry in predict("last", tmp_path / "runs", [tmp_path / "b.csv"])["predictions"]
    ]
    stored = folder.predictions("val")
    assert [values[int(id)] for id in stored["id"]] == pytest.approx(stored["output"].tolist(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("none.png", None, DataError, "none.png: no such file or folder"),
        ("bad.png", b"no image", DataError, r"inputs: 1 of 1 image cannot be used: .*bad.png \(no .*leave"),
        ("x.npy", b"no array", DataError, "x.npy: got a file of another kind; a picture, a folder of them or a"),
        ("x.svg", b"<svg/>", DataError, "x.svg: got a file of another kind; a picture, a folder of them or a .npy"),
        ("x.csv", b"a,b\n1,2\n", ConfigError, "x.csv; the model was not trained on named columns"),
        ("wide.npy", np.zeros((2, 5), np.float32), ConfigError, r"got examples of shape \[5\]; the model takes"),
    ],
)
def test_inputs_that_cannot_be(pets, tmp_path, name, content, error, message):
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    elif content is not None:
        np.save(tmp_path / name, content)
    with pytest.raises(error, match=message):
        predict("last", pets[0] / "runs", [tmp_path / name])


def test_pictures_are_not_brought_to_another_form_than_training_took(tmp_path):
    """With data.size=null training takes one size as it is; what it saw had 8 bits."""
    for i in range(20):
        path = tmp_path / "data" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(DRAW.integers(0, 256, (6, 6, 3), dtype=np.uint8)).save(path)
    trained(
        tmp_path / "runs", "data=image_folder", f"data.path={tmp_path / 'data'}", "data.size=null", "data.cache=null"
    )
    Image.new("RGB", (8, 8)).save(tmp_path / "large.png")
    with pytest.raises(DataError, match=r"inputs: 1 of 21 images .* .*large.png \(8 x 8 among 6 x 6\); mend or leave"):
        predict("last", tmp_path / "runs", [tmp_path / "data", tmp_path / "large.png"])
    Image.fromarray(DRAW.integers(0, 4000, (6, 6), dtype=np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(
        DataError, match=r"pictures of more than 8 bits .*; those of training had 8: save them in 8 bits"
    ):
        predict("last", tmp_path / "runs", [tmp_path / "deep.png"])
    frames = [Image.new("RGB", (6, 6), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    (said,) = predict("last", tmp_path / "runs", [tmp_path / "moving.gif"])["warnings"]
    assert "1 picture of several frames or pages" in said


@pytest.mark.parametrize("target", ["yes,no", "0.25,0.75,1.5,7.25"])
def test_an_input_beyond_what_the_model_computes_in_is_refused_by_its_row(tmp_path, target):
    labels = target.split(",")
    rows = [f"{x:.3f},{'uv'[i % 2]},{labels[i % len(labels)]}" for i, x in enumerate(DRAW.normal(0, 0.1, 40))]
    (tmp_path / "a.csv").write_text("\n".join(["x,c,y", *rows]))
    trained(tmp_path / "runs", "data=csv", f"data.path={tmp_path / 'a.csv'}", "data.target=y")
    new = tmp_path / "b.csv"
    new.write_text("c,x\nu,0.1\nv,-1e300\n")
    with pytest.raises(DataError, match=r"b.csv, row 3, column x: got '-1e300'; normalised .* torch.float32 to 3.4e"):
        predict("last", tmp_path / "runs", [new])
    new.write_text("c;x\nu;0.1\n")
    with pytest.raises(DataError, match=r"b.csv.* train with data.delimiter=';'; settings are the training's: change"):
        predict("last", tmp_path / "runs", [new])
    new.write_text("c,x\nu,\n")
    with pytest.raises(DataError, match=r"row 2, column x: .* fill it in, or train with data.missing=impute; settings"):
        predict("last", tmp_path / "runs", [new])
