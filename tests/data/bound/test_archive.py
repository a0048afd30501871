"""An archive is compared with the memory before its first array is read, and what it unpacks to is said."""

import numpy as np
import psutil
import pytest

from dlexp.data import array
from dlexp.data.array import Arrays
from dlexp.data.bound import archive
from dlexp.error import DataError

NUM = 4000


@pytest.fixture
def zeros(tmp_path):
    """An archive of 1,000 times its size."""
    path = tmp_path / "zeros.npz"
    np.savez_compressed(path, x=np.zeros((NUM, 64)), y=np.arange(NUM) % 2, unread=np.zeros((10 * NUM, 64)))
    return path


def test_what_a_small_file_unpacks_to_is_said(zeros, monkeypatch):
    monkeypatch.setattr(archive, "_LARGE", 10**6)
    notes = Arrays(path=str(zeros)).load().notes
    (line,) = (note for note in notes if "times its size" in note)
    assert line.startswith(f"{zeros}: unpacks to 0.0 GB, ")
    assert line.endswith(" times its size")


def test_nothing_is_said_of_arrays_of_noise(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_LARGE", 10**4)
    path = tmp_path / "noise.npz"
    np.savez_compressed(path, x=np.random.default_rng(0).normal(size=(NUM, 4)), y=np.arange(NUM) % 2)
    assert not [note for note in Arrays(path=str(path)).load().notes if "times its size" in note]


def test_all_arrays_that_are_read_count_together_before_the_first_is(zeros, monkeypatch):
    free = psutil.virtual_memory()._replace(available=int(1.5 * NUM * 65 * 8))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    monkeypatch.setattr(archive, "read_npy", lambda *_: pytest.fail("an array was read"))
    line = r"zeros.npz: its arrays, and a copy need 0.0 GB, 0.0 GB of memory are free; give fewer examples"
    with pytest.raises(DataError, match=line):
        Arrays(path=str(zeros)).load()


def test_arrays_that_nobody_asks_for_do_not_count(zeros, monkeypatch):
    free = psutil.virtual_memory()._replace(available=int(4 * NUM * 65 * 8))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert len(Arrays(path=str(zeros)).load().inputs) == NUM


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_inputs_are_taken_whatever_their_memory_is(order):
    x = np.arange(12.0).reshape(4, 3)[order]
    x.setflags(write=False)
    assert array.as_inputs(x, "x").tolist() == x.tolist()
