"""Records of epochs survive kills and repeats, and never pass for what they are not."""

import pytest

from dlexp.run import epoch_record

CONTENTS = [b"abc", b"def", b"ghi"]


@pytest.fixture
def folder(tmp_path):
    for epoch, content in enumerate(CONTENTS, 1):
        epoch_record.append(tmp_path, epoch, "bits", content)
    return tmp_path


def test_read_back(folder):
    assert epoch_record.read(folder, "bits") == CONTENTS
    assert epoch_record.read(folder, "losses") == []


@pytest.mark.parametrize("cut", [1, 2, 6])
def test_a_torn_record_is_unknown_and_the_next_process_writes_it_again(folder, cut):
    path = folder / "epochs.bits"
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert epoch_record.read(folder, "bits") == [b"abc", b"def", None]
    epoch_record.append(folder, 3, "bits", b"ghi")
    assert path.read_bytes() == whole


def test_an_epoch_that_is_repeated_replaces_itself_and_what_came_after(folder):
    epoch_record.append(folder, 2, "bits", b"xyz")
    assert epoch_record.read(folder, "bits") == [b"abc", b"xyz"]


def test_a_gap_is_unknown(tmp_path):
    epoch_record.append(tmp_path, 1, "values", b"abc")
    epoch_record.append(tmp_path, 3, "values", b"ghi")
    assert epoch_record.read(tmp_path, "values") == [b"abc", None, b"ghi"]


@pytest.mark.parametrize("place", range(4, 25))
def test_a_changed_byte_never_passes(folder, place):
    path = folder / "epochs.bits"
    damaged = bytearray(path.read_bytes())
    damaged[place] ^= 1
    path.write_bytes(bytes(damaged))
    records = epoch_record.read(folder, "bits")
    assert [old for old, new in zip(CONTENTS, records, strict=True) if new != old] == [CONTENTS[(place - 4) // 7]]
    assert None in records


def test_a_record_of_another_epoch_never_passes(folder):
    path = folder / "epochs.bits"
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + whole[11:18] + whole[4:11] + whole[18:])
    assert epoch_record.read(folder, "bits") == [None, None, b"ghi"]


@pytest.mark.parametrize("last", [0, 1, 2, 3, 9])
def test_truncate(folder, last):
    epoch_record.truncate(folder, last)
    assert epoch_record.read(folder, "bits") == CONTENTS[:last]


def test_truncate_nothing(tmp_path):
    epoch_record.truncate(tmp_path, 3)
    (tmp_path / "epochs.bits").write_bytes(b"\x01")
    epoch_record.truncate(tmp_path, 3)
    assert epoch_record.read(tmp_path, "bits") == []
