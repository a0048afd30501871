from dataclasses import replace

import pytest

from dlexp.data.table import Table
from dlexp.error import DataError
from tests.present import present


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


@pytest.mark.parametrize(
    ("setting", "spellings", "line"),
    [
        ("target", ["1", "1.0", "2", "2"], "column c: taken as the same category: '1' (15) and '1.0' (15)"),
        (
            "group",
            ["2021-03-09", "2021-03-09 00:00:00", "b", "d"],
            "column c: taken as the same category: '2021-03-09' (15) and '2021-03-09 00:00:00' (15)",
        ),
        (
            "time",
            ["2021-03-09", "2021-03-09 00:00", "2021-03-10T02:00+02:00", "2021-03-12"],
            "column c: taken as the same moment: '2021-03-09' (15) and '2021-03-09 00:00' (15)",
        ),
    ],
)
def test_a_number_with_a_point_and_a_midnight_are_one_and_it_is_said(setting, spellings, line, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "c,x,y\n" + "".join(f"{spellings[i % 4]},{i * 37 % 41 / 8},{'ny'[i // 2 % 2]}\n" for i in range(60))
    )
    option = replace(Table(path=str(path), target="y", cache=None), **{setting: "c"})
    dataset = option.load()
    assert line in dataset.notes
    if setting == "target":
        assert dataset.class_names == ["1", "2"]
    else:
        numbers = present({"group": dataset.groups, "time": dataset.times}[setting])
        assert numbers[0] == numbers[1]
        assert len(numbers.unique()) == 3


def test_a_column_that_is_written_in_one_way_is_not_told(tmp_path):
    assert not any("same" in note for note in notes(tmp_path, lambda i: ["1.0", "b", "2021-03-09 00:00"][i % 3]))
