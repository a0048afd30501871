import os
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from dlexp.data.array import Arrays
from dlexp.error import DataError
from tests.present import present

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5)).astype(np.float32)
Y = np.arange(60) % 3
IMAGES = RNG.integers(0, 256, (60, 6, 4, 3), dtype=np.uint8)


@pytest.fixture
def save(tmp_path):
    def write(**arrays):
        path = tmp_path / "mine.npz"
        np.savez(path, **arrays)
        return str(path)

    return write


def test_to_be_split(save):
    dataset = Arrays(path=save(x=X, y=Y)).load()
    assert dataset.inputs.equal(torch.from_numpy(X))
    assert dataset.targets.tolist() == Y.tolist()
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (36, 12, 12)
    assert (dataset.name, dataset.task, dataset.class_names) == ("mine", "multiclass", ["0", "1", "2"])


def test_official_parts(save):
    path = save(x_train=X[:40], y_train=Y[:40], x_val=X[40:50], y_val=Y[40:50], x_test=X[50:], y_test=Y[50:, None])
    dataset = Arrays(path=path).load()
    assert (dataset.train.tolist(), dataset.val.tolist(), dataset.test.tolist()) == (
        list(range(40)),
        list(range(40, 50)),
        list(range(50, 60)),
    )


def test_training_part_alone_gives_no_test_part(save):
    dataset = Arrays(path=save(x_train=X, y_train=Y)).load()
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (48, 12, 0)


@pytest.mark.parametrize(
    ("x", "shape", "dtype"),
    [
        (IMAGES, (60, 6, 4, 3), torch.uint8),
        (IMAGES[..., 0], (60, 6, 4, 1), torch.uint8),
        (IMAGES.astype(np.int64), (60, 6, 4, 3), torch.uint8),
        (IMAGES / 255, (60, 6, 4, 3), torch.float32),
        (IMAGES[..., 0] > 9, (60, 6, 4, 1), torch.float32),
        (X.astype(np.float64), (60, 5), torch.float64),
        (X > 0, (60, 5), torch.float32),
        (X, (60, 5), torch.float32),
        (X.astype(">f8"), (60, 5), torch.float64),
        (X.astype(np.longdouble), (60, 5), torch.float64),
        (X.astype(np.int64), (60, 5), torch.float64),
    ],
)
def test_kinds_of_input(save, x, shape, dtype):
    inputs = Arrays(path=save(x=x, y=Y)).load().inputs
    assert (tuple(inputs.shape), inputs.dtype) == (shape, dtype)
    np.testing.assert_allclose(inputs.numpy().reshape(x.shape), x, rtol=1e-6)


def test_regression_and_text(save):
    assert Arrays(path=save(x=X, y=X[:, 0])).load().task == "regression"
    assert Arrays(path=save(x=X, y=np.array(["no", "yes"])[Y % 2])).load().class_names == ["no", "yes"]
    assert Arrays(path=save(x=X, y=Y)).load("regression").targets.dtype == torch.float64


def test_named_classes(save):
    assert Arrays(path=save(x=X, y=Y, class_names=np.array(["a", "b", "c"]))).load().class_names == ["a", "b", "c"]


def test_numbers_are_days_of_the_form_that_is_stated(save):
    days = np.array([int(f"{10 + i % 18}{1 + i // 18:02d}2021") for i in range(60)])
    dataset = Arrays(path=save(x=X, y=Y, day=days), time="day", time_format="%d%m%Y").load()
    assert dataset.test.tolist() == list(range(48, 60))


def test_groups_and_times(save):
    path = save(x=X, y=Y, patient=np.arange(60) // 4, day=-np.arange(60.0))
    dataset = Arrays(path=path, group="patient").load()
    assert not set((dataset.train // 4).tolist()) & set((dataset.val // 4).tolist())
    late = Arrays(path=path, time="day").load()
    assert late.test.tolist() == list(range(12))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": X}, r"got arrays z; x and y, or x_train and y_train, are needed"),
        ({"x": X}, r"no array y; it has x"),
        ({"x_train": X, "y_train": Y, "x_test": X}, r"got x_test without its targets; y_test is needed beside it$"),
        ({"x": X, "y": Y[:50]}, r", y: got shape \(50,\); \(60,\), one target an example"),
        ({"x": X, "y": np.eye(60)}, r", y: got shape \(60, 60\)"),
        ({"x": X[0], "y": Y}, r", x: got shape \(5,\); \(N, H, W, C\)"),
        ({"x": X[:0], "y": Y[:0]}, r", x: got shape \(0, 5\).*without empty axes"),
        ({"x": np.full_like(X, np.nan), "y": Y}, r", x, rows 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 50 more: got NaN or inf"),
        ({"x": X, "y": np.where(Y == 1, np.nan, 0.5)}, r", y, rows 1, 4, 7.* got nan; a finite number"),
        ({"x": X.astype(np.longdouble) * np.longdouble("1e400"), "y": Y}, r", x, rows 0, 1.*float64 ends at 1.8e308"),
        ({"x": X * 1j, "y": Y}, r", x: got type complex64; real numbers are needed"),
        ({"x": X.astype("m8[s]"), "y": Y}, r", x: got type timedelta64\[s\]; numbers are needed: store seconds"),
        ({"x": np.array(["a"] * 60)[:, None], "y": Y}, r", x: got text such as 'a'; numbers"),
        ({"x": np.zeros((60, 3, 8, 8), np.uint8), "y": Y}, r"channels come last"),
        ({"x": IMAGES.astype(np.float32), "y": Y}, r", x, rows 0, 1.*images are floats in \[0, 1\]"),
        ({"x": IMAGES.astype(np.int32) * 9, "y": Y}, r"images are whole numbers from 0 to 255"),
        ({"x": X, "y": np.array([object()] * 60)}, r", y: got an object array"),
        ({"x": np.array([object()] * 60), "y": Y}, r", x: got an object array"),
        (
            {"x": X, "y": Y, "class_names": np.array(["a", "b"])},
            r", y, rows 2, 5.*got 2; labels are whole numbers from 0",
        ),
        ({"x": X[:11], "y": [0] * 10 + [1]}, r"split: class 1 with one example"),
        (
            {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 1},
            r"label '3' of the test part \(rows 2, 5, 8, 11, 14, 17, 20, 23, 26, 29 and 10 more\) is out of range",
        ),
        ({"x_train": X, "y_train": Y, "x_val": X[:, :4], "y_val": Y}, r"x_val holds \(4,\) .* x_train \(5,\)"),
    ],
)
def test_bad_arrays(save, arrays, message):
    with np.errstate(over="ignore"), pytest.raises(DataError, match=message):
        Arrays(path=save(**arrays)).load()


def test_bad_group(save):
    with pytest.raises(DataError, match=r"no array patinet; it has x, y, patient; did you mean patient\?"):
        Arrays(path=save(x=X, y=Y, patient=Y), group="patinet").load()
    with pytest.raises(DataError, match=r"patient: got shape \(2,\); \(60,\)"):
        Arrays(path=save(x=X, y=Y, patient=Y[:2]), group="patient").load()


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken"])
def test_not_an_npz(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"bad.npz: not an .npz file"):
        Arrays(path=str(path)).load()


def test_damaged_member(save, tmp_path):
    path = save(x=X, y=Y)
    raw = bytearray((tmp_path / "mine.npz").read_bytes())
    raw[300] ^= 0xFF
    (tmp_path / "mine.npz").write_bytes(raw)
    with pytest.raises(DataError, match="x: damaged"):
        Arrays(path=path).load()


def test_single_array_and_absent_file(tmp_path):
    np.save(tmp_path / "one.npy", X)
    with pytest.raises(DataError, match="a single array"):
        Arrays(path=str(tmp_path / "one.npy")).load()
    with pytest.raises(DataError, match="no such file"):
        Arrays(path=str(tmp_path / "none.npz")).load()


def test_names_of_19_digits(save):
    number = 1234567890123456789 + np.arange(60)
    dataset = Arrays(path=save(x=X, y=Y, number=number, site=number // 4), id="number", group="site").load()
    assert dataset.ids == [str(entry) for entry in number.tolist()]
    assert len(present(dataset.groups).unique()) == len(set((number // 4).tolist()))
    with pytest.raises(DataError, match=r"site, rows 0, 1, 2: got \d+ in each; ids must differ"):
        Arrays(path=save(x=X, y=Y, site=number // 4), id="site").load()


def rewrite(path, change):
    """Change the bytes of a file."""
    content = bytearray(Path(path).read_bytes())
    change(content)
    Path(path).write_bytes(bytes(content))
    return path


def set_in_every_header(content, local, central, value):
    """Set a field of two bytes in the zip headers, at its place after each signature."""
    for signature, place in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        start = content.find(signature)
        while start >= 0:
            content[start + place : start + place + 2] = value.to_bytes(2, "little")
            start = content.find(signature, start + 4)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda content: set_in_every_header(content, 6, 8, 1), "x: damaged .*encrypted"),
        (lambda content: set_in_every_header(content, 8, 10, 77), "x: damaged .*compression"),
    ],
)
def test_members_that_cannot_be_opened(save, change, refusal):
    with pytest.raises(DataError, match=refusal):
        Arrays(path=rewrite(save(x=X, y=Y), change)).load()


def test_a_name_twice(save):
    path = save(x=X, y=Y)
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("x.npy", archive.read("x.npy"))
    with pytest.raises(DataError, match="array x more than once; names must differ"):
        Arrays(path=path).load()


def test_a_pipe_does_not_wait(tmp_path):
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(DataError, match="got a pipe; a file is needed"):
        Arrays(path=str(tmp_path / "x.npz")).load()


@pytest.mark.parametrize(
    ("arrays", "refusal"),
    [
        ({"x": np.arange(120).reshape(60, 2) + 2**60, "y": Y}, "x, rows 0, .*got 11529.*; as a number it keeps 15"),
        ({"x": X, "y": Y, "x_train": X, "y_train": Y}, "got x and x_train; either"),
        ({"x": X, "y": Y, "class_names": ["a", "a", "b"]}, "class_names: got .* a list of different names"),
        ({"x": X, "y": Y, "class_names": [["a"], ["b"]]}, "class_names: got .* a list of different names"),
        ({"x": X, "y": np.array(["a", " "] * 30)}, "y, rows 1, 3, .*got ''; a target is needed"),
        ({"x": X, "y": np.eye(3)[Y]}, r"y.argmax\(1\) makes classes"),
        ({"x": X, "y": np.full(60, 1.5)}, "got only the value 1.5"),
    ],
)
def test_arrays_that_cannot_be_what_is_meant(tmp_path, arrays, refusal):
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=refusal):
        Arrays(path=str(path)).load()


def test_whole_numbers_that_float64_has_are_taken(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.full((60, 2), 2**60), y=Y)
    assert Arrays(path=str(path)).load().inputs[0].tolist() == [2.0**60] * 2


def test_names_of_fractions_and_spaces(tmp_path):
    """0.1 is called so whatever type holds it; spaces around a label are no other label."""
    path = tmp_path / "a.npz"
    for dtype in (np.float16, np.float32, np.float64):
        np.savez(path, x=X, y=np.array([0.1, 1.1] * 30, dtype))
        assert Arrays(path=str(path)).load("multiclass").class_names == ["0.1", "1.1"]
    np.savez(path, x=X, y=np.array(["a", " a ", "b", "b"] * 15))
    assert Arrays(path=str(path)).load().class_names == ["a", "b"]


def test_arrays_that_nothing_asks_for_are_named(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x_train=X, y_train=Y, x_valid=X, y_valid=Y)
    assert Arrays(path=str(path)).load().notes == [f"{path}: arrays x_valid, y_valid not read"]
