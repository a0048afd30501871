"""The number of the attempt that may write to a folder."""

from dlexp.run import attempt


def test_attempts_are_counted_from_one_and_damage_begins_anew(tmp_path):
    assert attempt.read(tmp_path) == 0
    assert [attempt.begin(tmp_path) for _ in range(3)] == [1, 2, 3]
    assert attempt.read(tmp_path) == 3
    (tmp_path / attempt.FILE).write_bytes(b"\xff")
    assert attempt.read(tmp_path) == 0
