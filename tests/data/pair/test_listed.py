"""A table of pairs of pictures."""

import pytest
import torch

from dlexp.data.pair.listed import PairCsv
from dlexp.data.pair.require import require_sound
from dlexp.error import ConfigError, DataError
from tests.data.pair.picture_pairs import write_writers


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listed")
    write_writers(folder / "w")
    return folder


def write(place, rows, header="first,second,label", name="pairs.csv"):
    path = place / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def load(path, **options):
    return PairCsv(path=str(path), size=None, cache=None, **options).load()


ROWS = [
    f"w/w{k}/genuine/{i}.png,w/w{k}/{kind}/{i + 1}.png,{label}"
    for k in range(4)
    for i in (0, 1)
    for kind, label in (("genuine", "Same"), ("forged", "different"))
]


def test_pairs_that_share_pictures_stand_in_one_part(place):
    data = load(write(place, ROWS))
    require_sound(data)
    assert data.pairs is not None
    assert (data.name, data.task, len(data.targets)) == ("pairs", "pairs", 16)
    assert data.targets.tolist() == [1, 0] * 8
    assert data.sample_ids(torch.tensor([0])) == ["w/w0/genuine/0.png | w/w0/genuine/1.png"]
    linked = load(write(place, [*ROWS, "w/w0/genuine/0.png,./w/w1/genuine/0.png,0"]), test_fraction=0.0)
    require_sound(linked)
    part = linked.train if 16 in linked.train else linked.val
    assert {0, 4, 16} <= set(part.tolist())


def test_columns_and_labels_may_have_other_names(place):
    rows = [row.replace("Same", "1").replace("different", "0").replace(",", ";") for row in ROWS]
    path = write(place, rows, "a;b;y", "other.csv")
    data = load(path, first="a", second="b", label="y", delimiter=";")
    assert data.targets.tolist() == [1, 0] * 8


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["w/w0/genuine/0.png,w/none.png,1"], "no such file"),
        (["w/w0/genuine/0.png,w/w0/genuine/0.png,1"], "a pair has two"),
        ([ROWS[0].replace("Same", "maybe")], "one of 1, true, yes, same, genuine"),
        ([ROWS[0], "w/w0/genuine/1.png,w/w0/genuine/0.png,1"], "another row has this pair"),
        (ROWS[::2], "got only pairs that are same"),
        (ROWS[:4], r"1 group through shared pictures"),
    ],
)
def test_rows_that_are_no_pairs_are_refused(place, rows, reason):
    with pytest.raises(DataError, match=reason):
        load(write(place, rows, name="bad.csv"))


def test_columns_that_are_not_there_are_named(place):
    with pytest.raises(DataError, match=r"no column label \(data.label\)"):
        load(write(place, ["a,b"], "first,second", "bad.csv"))
    with pytest.raises(ConfigError, match="three different ones"):
        load(write(place, ROWS), label="first")
