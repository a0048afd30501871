"""Files of arrays: read back as written; whatever else stands in them is one line that names file, fault and cure."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from dlexp.error import RunError
from dlexp.run.array import read_arrays, write_arrays


def bytes_of(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


WHOLE = bytes_of(id=np.arange(4), output=np.zeros(4))


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("id.npy", content)
        archive.writestr("output.npy", content)
    return buffer.getvalue()


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    return buffer.getvalue()


DAMAGE = {
    "empty": b"",
    "null": b"null",
    "nul": bytes(100),
    "text": b"hello\n",
    "garbage": np.random.default_rng(0).bytes(500),
    "half": WHOLE[: len(WHOLE) // 2],
    "cut": WHOLE[:-1],
    "flipped": bytes(byte ^ (255 * (i == 150)) for i, byte in enumerate(WHOLE)),
    "lacking": bytes_of(id=np.arange(4)),
    "uneven": bytes_of(id=np.arange(4), output=np.zeros(3)),
    "number": bytes_of(id=np.array(1), output=np.array(2)),
    "npy": npy(),
    "pickle": pickle.dumps({"id": [1]}),
    "objects": bytes_of(id=np.array([{}, []], dtype=object), output=np.zeros(2)),
    "no header": zipped(b"x" * 40),
    "huge": zipped(npy().replace(b"(3,), ", b"(9999999999999,), ")[:200]),
}


def test_what_was_written_is_read(tmp_path):
    write_arrays(tmp_path / "a.npz", {"id": np.array(["x", "é"]), "output": np.array([[1.5], [np.nan]])})
    arrays = read_arrays(tmp_path / "a.npz", ("id", "output"), "cure", is_even=True)
    assert arrays["id"].tolist() == ["x", "é"]
    np.testing.assert_array_equal(arrays["output"], [[1.5], [np.nan]])


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_one_line(tmp_path, damage):
    (tmp_path / "a.npz").write_bytes(DAMAGE[damage])
    with pytest.raises(RunError) as caught:
        read_arrays(tmp_path / "a.npz", ("id", "output"), "the cure", is_even=True)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'a.npz'}: damaged (")
    assert message.endswith("); the cure")
    assert "\n" not in message
    assert len(message) < len(str(tmp_path)) + 180


def test_no_file_that_is_not_a_file_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "folder.npz").mkdir()
    for name in ("pipe.npz", "folder.npz"):
        with pytest.raises(RunError, match="no regular file"):
            read_arrays(tmp_path / name, ("id",), "cure")
    (tmp_path / "link.npz").symlink_to(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "link.npz", ("id",), "cure")
