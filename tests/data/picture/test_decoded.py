import os

import numpy as np
import psutil
import pytest
import torch
from PIL import Image

from dlexp.data.picture import decoded
from dlexp.data.picture.decoded import decode_all
from dlexp.data.picture.form import Format
from dlexp.error import DataError
from tests.data.file.damage import cut, flip

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
    decoded = decode_all(root, files(root), form, torch.arange(len(files(root))), None if cache is None else str(cache))
    return decoded.inputs, decoded.fingerprint


def test_memory_and_cache_agree(root, tmp_path, monkeypatch):
    plain, fingerprint = load(root, None)
    first, stored = load(root, tmp_path / "cache")
    assert first.equal(plain)
    assert stored == fingerprint

    def refuse(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(decoded, "decode", refuse)
    again, stored = load(root, tmp_path / "cache")
    assert again.equal(plain)
    assert stored == fingerprint
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


@pytest.mark.parametrize("suffix", [".bin", ".json"])
@pytest.mark.parametrize("damage", [cut, flip, lambda path: path.write_text("[]"), lambda path: path.unlink()])
def test_a_damaged_cache_is_written_anew(root, tmp_path, suffix, damage):
    first = load(root, tmp_path / "cache")
    whole = first[0].clone()
    path = next((tmp_path / "cache").glob(f"*{suffix}"))
    del first
    damage(path)
    again, fingerprint = load(root, tmp_path / "cache")
    assert again.equal(whole)
    assert load(root, tmp_path / "cache")[1] == fingerprint


def test_a_picture_that_was_exchanged_is_noticed(root, tmp_path):
    """The other one has the size and the time of writing of the first."""
    before = load(root, tmp_path / "cache")[0].clone()
    names = files(root)
    first, second = root / names[0], root / names[1]
    length = max(first.stat().st_size, second.stat().st_size)
    for path in (first, second):
        path.write_bytes(path.read_bytes().ljust(length, b"\0"))
        os.utime(path, ns=(10**18, 10**18))
    padded = load(root, tmp_path / "cache")[0].clone()
    content = first.read_bytes(), second.read_bytes()
    for path, other in zip((first, second), reversed(content), strict=True):
        path.write_bytes(other)
        os.utime(path, ns=(10**18, 10**18))
    after = load(root, tmp_path / "cache")[0]
    assert padded.equal(before)
    assert not padded[0].equal(padded[1])
    assert after[0].equal(padded[1])
    assert after[1].equal(padded[0])


def deep_folder(folder, top):
    folder.mkdir()
    for i in range(6):
        values = np.full((4, 4), top * (i + 1) // 6, np.uint16)
        values[0, 0] = 0
        Image.fromarray(values).save(folder / f"{i}.png")
    return folder


@pytest.mark.parametrize("cache", [None, "cache"])
def test_deep_pictures_take_the_range_of_the_training_part(tmp_path, cache):
    root = deep_folder(tmp_path / "deep", 4095)
    form, place = Format(None, "crop", "grey"), None if cache is None else str(tmp_path / cache)
    for last in (5, 2):
        decoded = decode_all(root, files(root), form, torch.arange(6), place, torch.arange(last + 1))
        top = 4095 * (last + 1) // 6
        assert decoded.form.span == (0, top)
        expected = [min(255, round(4095 * (i + 1) // 6 / top * 255)) for i in range(6)]
        assert np.abs(decoded.inputs[:, 3, 3, 0].numpy().astype(int) - expected).max() <= 1
        assert (
            f"6 pictures of more than 8 bits: the training part's values 0 to {top} became 0 to 255" in decoded.notes[0]
        )


def test_a_stated_depth_keeps_every_value(tmp_path):
    root = deep_folder(tmp_path / "deep", 4095)
    form = Format(None, "crop", "rgb", 12)
    for cache in (None, str(tmp_path / "cache"), str(tmp_path / "cache")):
        decoded = decode_all(root, files(root), form, torch.arange(6), cache)
        assert decoded.inputs.dtype == torch.float32
        assert (decoded.inputs[:, 3, 3, 2] * 4095).round().tolist() == [4095 * (i + 1) // 6 for i in range(6)]
    with pytest.raises(DataError, match=r"values from 0 to 4095; data.depth=10 goes from 0 to 1023"):
        decode_all(root, files(root), Format(None, "crop", "rgb", 10), torch.arange(6), None)


def test_several_frames_are_said(tmp_path):
    (tmp_path / "moving").mkdir()
    frames = [Image.new("RGB", (4, 4), (90 * i, 0, 0)) for i in range(3)]
    frames[0].save(tmp_path / "moving" / "a.gif", save_all=True, append_images=frames[1:])
    pages = [Image.new("L", (4, 4), i) for i in (7, 8)]
    pages[0].save(tmp_path / "moving" / "b.tif", save_all=True, append_images=pages[1:])
    decoded = decode_all(tmp_path / "moving", ["a.gif", "b.tif"], Format(None, "crop", "grey"), torch.arange(2), None)
    assert decoded.notes == ["2 pictures of several frames or pages (a.gif, ...): the first of each is taken"]
    assert decoded.inputs[1, 0, 0].tolist() == [7]


def test_a_cache_that_may_not_be_written_to_is_said_and_done_without(root, tmp_path, monkeypatch):
    plain, fingerprint = load(root, None)
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    read = decode_all(root, files(root), FORM, torch.arange(12), str(tmp_path / "sealed" / "cache"))
    assert read.inputs.equal(plain)
    assert read.fingerprint == fingerprint
    assert "may not be written to" in read.notes[-1]
    assert not (tmp_path / "sealed").exists()


def test_images_that_exceed_the_stated_memory_are_refused_unless_they_are_mapped(root, tmp_path):
    labels = torch.arange(12)
    assert len(decode_all(root, files(root), FORM, labels, None, memory="0.0013MB").inputs) == 12  # 12 x 6 x 6 x 3
    with pytest.raises(DataError, match=r"decoded images need .* data.memory allows 0.0012MB; set data.cache"):
        decode_all(root, files(root), FORM, labels, None, memory="0.0012MB")
    assert len(decode_all(root, files(root), FORM, labels, str(tmp_path / "cache"), memory="0.0012MB").inputs) == 12


def test_what_was_noted_is_said_from_the_cache_too(root, tmp_path, monkeypatch):
    Image.new("RGBA", (6, 6), (255, 0, 0, 0)).save(root / "00.png")
    first = decode_all(root, files(root), FORM, torch.arange(12), str(tmp_path))
    assert first.notes == ["1 picture with an alpha channel (00.png, ...): laid over white"]
    monkeypatch.setattr(decoded, "_fill", None)  # nothing is decoded again
    assert decode_all(root, files(root), FORM, torch.arange(12), str(tmp_path)).notes == first.notes
