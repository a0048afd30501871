"""Whatever is wrong with data: one line, exit 2, the place named, and nothing left behind."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dlexp.config.resolve import resolve
from dlexp.data.picture import decoded
from dlexp.error import DlexpError
from dlexp.job.train import train

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(60, 5)).astype(np.float32), np.arange(60) % 3
ROWS = [f"{i},{'ab'[i % 2]},{i % 2}" for i in range(60)]
FOLDER = ["data=image_folder", "data.cache=null"]


def refusal(tmp_path, *overrides) -> str:
    """Return the line that a training run ends with before it begins."""
    composed = resolve([*overrides, f"runs_dir={tmp_path / 'runs'}", "tracking=none"])
    with pytest.raises(DlexpError) as error:
        train.start(composed, announce=lambda about: lambda event: None)
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)
    assert not (tmp_path / "runs").exists()
    return str(error.value)


def write_images(root, **changed):
    """Fill two class folders with eight images each; `changed` says what is written to the first."""
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for i in range(8):
            pixels = DRAW.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    for name, content in changed.items():
        (root / "cat" / f"{name}.png").write_bytes(content)
    return [*FOLDER, f"data.path={root}", "trainer.batch_size=4"]


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that says it is of some size and holds no pixel."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    packed = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"a": b"no image"}, "1 of 17 images cannot be used: cat/a.png (no image, or of an unknown kind)"),
        ({"b": b""}, "cat/b.png (empty file)"),
        ({"c": png_header(20_000, 20_000)}, "cat/c.png (more than 89 megapixels)"),
        ({"d": png_header(10, 10)}, "cat/d.png (cannot be decoded"),
        ({f"e{i:02}": b"" for i in range(13)}, "cat/e09.png (empty file) and 3 more; mend or remove them"),
    ],
)
def test_images(tmp_path, changed, message):
    assert message in refusal(tmp_path, *write_images(tmp_path / "pets", **changed))


def test_folders(tmp_path):
    root = tmp_path / "pets"
    assert f"{root}: no such folder" in refusal(tmp_path, *FOLDER, f"data.path={root}")
    root.mkdir()
    assert f"{root}: no class folders in it" in refusal(tmp_path, *FOLDER, f"data.path={root}")
    overrides = write_images(root)
    (root / "elk").mkdir()
    assert f"{root}: class folder elk without images" in refusal(tmp_path, *overrides)
    (root / "elk").rmdir()
    Image.new("RGB", (9, 5)).save(root / "dog" / "0.png")
    assert "dog/0.png (9 x 5 among 6 x 6; set data.size)" in refusal(tmp_path, *overrides, "data.size=null")


def test_no_room_for_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(decoded.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100})())
    overrides = [text for text in write_images(tmp_path / "pets") if not text.startswith("data.cache")]
    message = refusal(tmp_path, *overrides, f"data.cache={tmp_path / 'cache'}")
    assert f"{tmp_path / 'cache'}: decoded images need" in message


def test_odd_but_readable_images_train(tmp_path):
    overrides = write_images(tmp_path / "pets")
    folder = tmp_path / "pets" / "cat"
    Image.new("CMYK", (9, 5), (10, 20, 30, 40)).save(folder / "cmyk.jpg")
    Image.fromarray(np.full((7, 7), 40_000, np.uint16)).save(folder / "deep.png")
    Image.new("RGBA", (5, 5), (255, 0, 0, 90)).save(folder / "alpha.png")
    quick = ["data.size=6", "trainer.epochs=1", "tracking=none", f"runs_dir={tmp_path / 'runs'}"]
    result: Any = train.start(resolve([*overrides, *quick]), announce=lambda about: lambda event: None).result
    assert sum(result["data"][f"num_{part}"] for part in ("train", "val", "test")) == 19


@pytest.mark.parametrize(
    ("content", "target", "message"),
    [
        (["n,c,y", *ROWS, "7,,1"], "y", "t.csv, row 62, column c: got ''; a value is needed"),
        (["n,c,y", *ROWS, "7,a"], "y", "t.csv, row 62: got 2 fields; the header has 3"),
        (["n,c,y", *ROWS, "many,a,1"], "y", "t.csv, row 62, column n: got 'many'; a number is needed"),
        (["n,c,y", *ROWS, *["many,a,1"] * 12], "y", "rows 62, 63, 64, 65, 66, 67, 68, 69, 70, 71 and 2 more, column n"),
        (["n,c,y", *ROWS], "z", "t.csv: no column z (data.target); it has n, c, y"),
        (["n,c,y", *ROWS, "7,a,"], "y", "t.csv, row 62, column y: got ''; a target is needed in every row"),
        (["n,c,y", *ROWS, "7,a,2"], "y", "split: class 2 with one example"),
        (["n,c,y"], "y", "t.csv: no examples in it"),
        ([], "y", "t.csv: no examples in it"),
    ],
)
def test_tables(tmp_path, content, target, message):
    path = tmp_path / "t.csv"
    path.write_text("\n".join(content))
    assert message in refusal(tmp_path, "data=csv", f"data.path={path}", f"data.target={target}")


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\n".join(["y,n", *(f"{i % 2},{i}" for i in range(60))]).encode())
    quick = ["trainer.epochs=1", "tracking=none", f"runs_dir={tmp_path / 'runs'}"]
    composed = resolve(["data=csv", f"data.path={path}", "data.target=y", *quick])
    assert train.start(composed, announce=lambda about: lambda event: None).exit_code == 0


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X, "y": Y[:50]}, ", y: got shape (50,); (60,), one target an example, is needed"),
        ({"x": X[0], "y": Y}, ", x: got shape (5,)"),
        ({"x": np.array([{}] * 60), "y": Y}, ", x: got an object array"),
        ({"x": np.full_like(X, np.nan), "y": Y}, ", x, rows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 50 more: got NaN"),
        ({"x": X, "y": Y, "class_names": np.array(["a", "b"])}, "labels are whole numbers from 0 to 1"),
        ({"x_train": X, "y_train": Y, "x_val": X, "y_val": Y + 1}, "label '3' of the val part"),
    ],
)
def test_arrays(tmp_path, arrays, message):
    np.savez(tmp_path / "t.npz", **arrays)
    assert message in refusal(tmp_path, "data=arrays", f"data.path={tmp_path / 't.npz'}")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data=iris", "trainer.batch_size=91"], "trainer.batch_size: got 91; the training part has 90 examples"),
        (["data=iris", "data.val_count=150"], "data.val_count: got 150"),
        (["data=iris", "task=binary"], "task: got binary; the data have 3 classes"),
        (["data=diabetes", "trainer.oversample=true"], "trainer.oversample: got true; the data have values"),
        (
            ["data=diabetes", "trainer.monitor=val/accuracy"],
            "trainer.monitor: got val/accuracy; choose one of val/loss",
        ),
    ],
)
def test_settings_that_do_not_fit_the_data(tmp_path, overrides, message):
    assert message in refusal(tmp_path, *overrides)
