import os

import numpy as np
import psutil
import pytest
import torch
from PIL import Image

from dlexp.data.file import decoded
from dlexp.data.file.decoded import decode_all
from dlexp.data.file.picture import Format
from dlexp.error import DataError

FORM = Format(6, "crop", "rgb")


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    draw = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(draw.integers(0, 256, (6, 6, 3), dtype=np.uint8)).save(folder / f"{i:02d}.png")
    return folder


def files(root):
    return sorted(path.name for path in root.iterdir())


def load(root, cache, form=FORM):
    return decode_all(root, files(root), form, torch.arange(len(files(root))), None if cache is None else str(cache))


def test_memory_and_cache_agree(root, tmp_path, monkeypatch):
    plain, fingerprint = load(root, None)
    first, kept = load(root, tmp_path / "cache")
    assert first.equal(plain)
    assert kept == fingerprint

    def refuse(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(decoded, "decode", refuse)
    again, kept = load(root, tmp_path / "cache")
    assert again.equal(plain)
    assert kept == fingerprint
    assert len(os.listdir(tmp_path / "cache")) == 2


def test_changed_file_is_decoded_again(root, tmp_path):
    _, before = load(root, tmp_path / "cache")
    Image.new("RGB", (6, 6), "red").save(root / "03.png")
    images, after = load(root, tmp_path / "cache")
    assert before != after
    assert images[3, 0, 0].tolist() == [255, 0, 0]


def test_writing_to_mapped_images_does_not_reach_the_file(root, tmp_path):
    images, _ = load(root, tmp_path / "cache")
    images[0] = 0
    assert load(root, tmp_path / "cache")[0][0].sum() > 0


def test_all_bad_files_are_listed(root, tmp_path):
    for i in range(11):
        (root / f"{i:02d}.png").write_bytes(b"" if i else b"no image")
    with pytest.raises(DataError) as error:
        load(root, tmp_path / "cache")
    message = str(error.value)
    assert "11 of 12 images cannot be used: 00.png (no image, or of an unknown kind)" in message
    assert "09.png (empty file) and 1 more; mend or remove them" in message
    assert "\n" not in message
    assert os.listdir(tmp_path / "cache") == []


def test_no_readable_file_at_all(root):
    for path in root.iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="12 of 12 images cannot be used"):
        load(root, None, Format(None, "crop", "rgb"))


def test_mixed_sizes(root):
    Image.new("RGB", (9, 5)).save(root / "07.png")
    with pytest.raises(DataError, match=r"1 of 12 .*07.png \(9 x 5 among 6 x 6; set data.size\)"):
        load(root, None, Format(None, "crop", "rgb"))


def test_no_room(root, tmp_path, monkeypatch):
    monkeypatch.setattr(decoded.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 100})())
    with pytest.raises(DataError, match=r"cache: decoded images need .* GB are free; set data.cache to another"):
        load(root, tmp_path / "cache")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 100})())
    with pytest.raises(DataError, match=r"of memory are free; set data.cache to a folder"):
        load(root, None)


def test_disk_that_fills_up(root, tmp_path, monkeypatch):
    def fill(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decoded, "_fill", fill)
    with pytest.raises(DataError, match=r"writing decoded images failed: No space left on device; set data.cache"):
        load(root, tmp_path / "cache")
    assert os.listdir(tmp_path / "cache") == []


def test_damaged_cache(root, tmp_path):
    load(root, tmp_path / "cache")
    path = next((tmp_path / "cache").glob("*.bin"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="the decoded images are damaged; delete this folder"):
        load(root, tmp_path / "cache")
