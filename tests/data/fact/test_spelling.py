import pytest

from dlexp.data.table import Table
from dlexp.error import DataError


def notes(tmp_path, column):
    path = tmp_path / "t.csv"
    rows = "".join(f"{column(i)},{i * 37 % 41 / 8},{'ny'[i % 2]}\n" for i in range(60))
    path.write_text(f"c,x,y\n{rows}")
    return Table(path=str(path), target="y", cache=None).load().notes


def test_spellings_of_the_same_category_are_told_with_their_counts(tmp_path):
    heard = notes(tmp_path, lambda i: ["u", " u", "v", "v"][i * 7 // 3 % 4])
    line = next(note for note in heard if "same category" in note)
    counts = [sum(["u", " u", "v", "v"][i * 7 // 3 % 4] == text for i in range(60)) for text in ("u", " u")]
    assert f"'u' ({counts[0]})" in line
    assert f"' u' ({counts[1]})" in line
    assert "'v'" not in line
    assert not any("same category" in note for note in notes(tmp_path, lambda i: "uv"[i * 7 // 3 % 2]))


def test_a_target_of_two_spellings_of_one_label_is_refused_with_both(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "".join(f"{i},{[' yes', 'yes'][i % 2]}\n" for i in range(20)))
    with pytest.raises(DataError, match=r"only the label yes; .*same category: ' yes' \(10\) and 'yes' \(10\)"):
        Table(path=str(path), target="y", cache=None).load()
