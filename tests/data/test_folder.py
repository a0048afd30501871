import numpy as np
import pytest
import torch
from PIL import Image

from dlexp.data.folder import ImageFolder
from dlexp.error import ConfigError, DataError
from tests.present import present

COLORS = {
    "more": (9, 9, 9),
    "rot": (255, 0, 0),
    "grün": (0, 255, 0),
    "gelb": (255, 255, 0),
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
}


def fill(folder, counts):
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.new("RGB", (8 + i, 10), COLORS[name]).save(folder / name / f"{i}.png")


def load(root, **settings):
    return ImageFolder(**({"path": str(root), "size": 6, "cache": None} | settings)).load()


def test_folder_of_classes(tmp_path):
    fill(tmp_path, {"red": 10, "green": 5, "blue": 5})
    (tmp_path / "red" / "notes.txt").write_text("no image")
    (tmp_path / "README.md").write_text("x")
    dataset = load(tmp_path)
    assert dataset.class_names == ["blue", "green", "red"]
    assert tuple(dataset.inputs.shape) == (20, 6, 6, 3)
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (12, 4, 4)
    assert present(dataset.ids)[0] == "blue/0.png"
    for i, target in enumerate(dataset.targets.tolist()):
        assert tuple(dataset.inputs[i, 3, 3].tolist()) == COLORS[dataset.class_names[target]]


def test_official_parts(tmp_path):
    fill(tmp_path / "train", {"red": 6, "green": 6})
    fill(tmp_path / "valid", {"red": 2, "green": 1})
    dataset = load(tmp_path)
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (12, 3, 0)
    assert all(present(dataset.ids)[i].startswith("valid/") for i in dataset.val)
    fill(tmp_path / "test", {"green": 2})
    assert len(load(tmp_path).test) == 2


def test_training_folder_alone(tmp_path):
    fill(tmp_path / "train", {"red": 10, "green": 10})
    dataset = load(tmp_path)
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (16, 4, 0)


def test_grey_and_own_size(tmp_path):
    fill(tmp_path, {"red": 1, "green": 1})
    assert tuple(load(tmp_path, size=None, color="grey", stratify=False, test_fraction=0.0).inputs.shape) == (
        2,
        10,
        8,
        1,
    )


def test_list_of_files(tmp_path):
    fill(tmp_path, {"red": 5, "green": 5})
    rows = [f"{name}/{i}.png,{'warm' if name == 'red' else 'cold'}" for name in ("red", "green") for i in range(5)]
    (tmp_path / "list.csv").write_text("\n".join(["file,label", *rows]))
    dataset = load(tmp_path, labels=str(tmp_path / "list.csv"))
    assert dataset.class_names == ["cold", "warm"]
    assert present(dataset.ids)[0] == "red/0.png"
    values = [f"{row.split(',')[0]},{i / 4}" for i, row in enumerate(rows)]
    (tmp_path / "values.csv").write_text("\n".join(["file,label", *values]))
    assert load(tmp_path, labels=str(tmp_path / "values.csv")).task == "regression"


@pytest.mark.parametrize(
    ("spellings", "names", "note"),
    [
        (("1", "1.0", "2"), ["1", "2"], "column label: taken as the same category: '1' (4) and '1.0' (3)"),
        (("TRUE", "True", "no"), ["True", "no"], "column label: taken as the same category: 'TRUE' (4) and 'True' (3)"),
        (("a", "b", "c"), ["a", "b", "c"], None),
    ],
)
def test_labels_in_two_spellings_are_one_class_and_it_is_said(tmp_path, spellings, names, note):
    fill(tmp_path, {"red": 10})
    rows = [f"red/{i}.png,{spellings[i % 3]}" for i in range(10)]
    (tmp_path / "list.csv").write_text("\n".join(["file,label", *rows]))
    dataset = load(tmp_path, labels=str(tmp_path / "list.csv"), stratify=False)
    assert dataset.class_names == names
    assert [line for line in dataset.notes if "spelling" in line or "same category" in line] == ([note] if note else [])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["red/0.png,a", "red/9.png,b"], r"list.csv, row 3, column file: got 'red/9.png'; no such file in"),
        (["red/0.png,a", "red/1.png,"], r"list.csv, row 3, column label: got ''; a label is needed"),
        (["red/0.png,a", "red/0.png,b"], r"list.csv, row 3, column file: got 'red/0.png'; another row has it"),
        (["red/0.png,a", "./red/0.png,b"], r"list.csv, row 3, column file: got './red/0.png'; another row has it"),
        (["red/0.png,0.5", "red/1.png,-inf"], r"list.csv, row 3, column label: got '-inf'; a finite number is needed"),
    ],
)
def test_bad_lists(tmp_path, rows, message):
    fill(tmp_path, {"red": 2})
    (tmp_path / "list.csv").write_text("\n".join(["file,label", *rows]))
    with pytest.raises(DataError, match=message):
        load(tmp_path, labels=str(tmp_path / "list.csv"))


def test_an_absent_list_is_told_by_its_setting(tmp_path):
    fill(tmp_path, {"red": 2})
    with pytest.raises(DataError, match=r"none.csv: no such file; data.labels names a table"):
        load(tmp_path, labels=str(tmp_path / "none.csv"))


def test_absent_and_empty_folders(tmp_path):
    with pytest.raises(DataError, match=r"none: no such folder; data.path names a folder of images"):
        load(tmp_path / "none")
    with pytest.raises(DataError, match="no class folders in it"):
        load(tmp_path)
    fill(tmp_path, {"red": 5})
    for name in ("birch", "elm"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match="class folders birch, elm without images; remove or fill it"):
        load(tmp_path)


def test_one_class_and_unknown_class(tmp_path):
    fill(tmp_path / "train", {"red": 5})
    with pytest.raises(DataError, match="got only the label red"):
        load(tmp_path)
    fill(tmp_path / "train", {"green": 5})
    fill(tmp_path / "val", {"blue": 2})
    with pytest.raises(DataError, match=r"label 'blue' of the val part \(rows 0, 1\) is out of range"):
        load(tmp_path)


def test_damaged_image_is_named(tmp_path):
    fill(tmp_path, {"red": 5, "green": 5})
    (tmp_path / "red" / "3.png").write_bytes(np.random.default_rng(0).bytes(100))
    with pytest.raises(
        DataError, match=r"1 of 10 images cannot be used: red/3.png \(no image, or of an unknown kind\)"
    ):
        load(tmp_path)


@pytest.mark.parametrize(
    ("train", "val", "test"),
    [
        ("Train", "Valid", "Test"),
        ("Training", "Validation", "Testing"),
        ("TRAIN", "VAL", "TEST"),
        ("train", "valid", "Test"),
    ],
)
def test_parts_whatever_the_case(tmp_path, train, val, test):
    for name, count in ((train, 6), (val, 2), (test, 3)):
        fill(tmp_path / name, {"red": count, "green": count})
    dataset = load(tmp_path)
    assert dataset.class_names == ["green", "red"]
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (12, 4, 6)


def test_a_class_called_train(tmp_path):
    fill(tmp_path, {"blue": 5})
    for name in ("train", "Bus"):
        (tmp_path / "blue").rename(tmp_path / name)
        fill(tmp_path, {"blue": 5})
    assert load(tmp_path).class_names == ["Bus", "blue", "train"]


def test_parts_that_are_none(tmp_path):
    fill(tmp_path / "train", {"red": 5, "green": 5})
    fill(tmp_path, {"blue": 2})
    with pytest.raises(DataError, match=r"got folder blue beside train; train, and optionally val and test, each with"):
        load(tmp_path)
    (tmp_path / "blue").rename(tmp_path / "test")
    with pytest.raises(DataError, match=r"got folder test beside train"):
        load(tmp_path)
    (tmp_path / "train").rename(tmp_path / "Testing")
    (tmp_path / "test").rename(tmp_path / "Testing" / "blue")
    with pytest.raises(DataError, match=r"got Testing without train"):
        load(tmp_path)
    for name in ("val", "Valid"):
        fill(tmp_path / name, {"red": 2, "green": 2})
    with pytest.raises(DataError, match=r"got Valid and val; one folder is the val part"):
        load(tmp_path)


def test_what_is_hidden_is_left_out_and_counted(tmp_path):
    fill(tmp_path, {"red": 10, "green": 10})
    plain = load(tmp_path)
    fill(tmp_path / "__MACOSX", {"red": 2})
    fill(tmp_path / "red" / ".ipynb_checkpoints", {"blue": 2})
    (tmp_path / "red" / "._0.png").write_bytes(b"")
    (tmp_path / "red" / "Thumbs.db").write_bytes(b"")
    (tmp_path / ".DS_Store").write_bytes(b"")
    (tmp_path / "green" / "notes.txt").write_text("x")
    dataset = load(tmp_path)
    assert dataset.ids == plain.ids
    assert dataset.notes == ["left out: 1 file of another kind (.txt), 5 hidden entries"]


def test_links_to_folders_are_followed_once(tmp_path):
    fill(tmp_path / "pets", {"red": 10, "green": 10})
    fill(tmp_path / "elsewhere", {"more": 3} | {"blue": 1})
    for name in ("first", "second"):
        (tmp_path / "pets" / "red" / name).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "pets" / "red" / "cycle").symlink_to(tmp_path / "pets" / "red", target_is_directory=True)
    dataset = load(tmp_path / "pets")
    assert len(present(dataset.ids)) == 24
    assert dataset.notes == ["left out: 2 links to folders read already"]


def test_broken_files_are_skipped_by_name(tmp_path):
    fill(tmp_path, {"red": 10, "green": 10})
    (tmp_path / "red" / "3.png").write_bytes(b"")
    dataset = load(tmp_path, broken="skip")
    assert len(present(dataset.ids)) == 19
    assert dataset.notes == ["data.broken=skip: 1 file left out: red/3.png (empty file)"]


def test_every_training_part_settles_the_range_of_its_deep_pictures(tmp_path):
    """Picture i of a class has values up to 100 (i + 1): the largest of a part is 255 in its inputs, of others cut."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(10):
            values = np.zeros((6, 6), np.uint16)
            values[0, 0] = 100 * (i + 1)
            Image.fromarray(values).save(tmp_path / name / f"{i:02d}.png")
    dataset = load(tmp_path, color="grey", size=None)
    for rows in (range(5), range(20)):
        part = dataset.with_parts(torch.tensor(list(rows)), dataset.val)
        top = 100 * len(rows) if len(rows) == 5 else 1000
        expected = [min(255, round(100 * (row % 10 + 1) / top * 255)) for row in range(20)]
        assert part.inputs[:, 0, 0, 0].tolist() == expected
        assert present(part.encoding)["span"] == (0, top)


def test_a_file_of_labels_with_another_delimiter_a_class_na_and_pictures_that_it_lacks(tmp_path):
    fill(tmp_path, {"red": 10, "green": 10, "blue": 2})
    named = [f"{color}/{i}.png;{label}\n" for color, label in (("red", "NA"), ("green", "b")) for i in range(10)]
    (tmp_path / "l.csv").write_text("file;label\n" + "".join(named))
    dataset = load(tmp_path, labels=str(tmp_path / "l.csv"))
    assert dataset.class_names == ["NA", "b"]
    assert dataset.notes == ["2 pictures without a label left out (blue/0.png, ...)"]


@pytest.mark.parametrize(("encoding", "codec"), [("latin-1", "latin-1"), ("utf-8", "utf-16")])
def test_a_file_of_labels_in_another_encoding(encoding, codec, tmp_path):
    """UTF-16 has a mark that says so."""
    fill(tmp_path, {"grün": 10, "rot": 10})
    named = "".join(f"{color}/{i}.png,{color}\n" for color in ("grün", "rot") for i in range(10))
    (tmp_path / "l.csv").write_bytes(f"file,label\n{named}".encode(codec))
    dataset = load(tmp_path, labels=str(tmp_path / "l.csv"), encoding=encoding)
    assert dataset.class_names == ["grün", "rot"]
    assert present(dataset.ids)[:2] == ["grün/0.png", "grün/1.png"]


def test_an_encoding_that_the_file_of_labels_has_not_or_that_nothing_has(tmp_path):
    fill(tmp_path, {"rot": 10, "gelb": 10})
    (tmp_path / "l.csv").write_bytes("file,label\nrot/0.png,grün\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"l.csv: byte 23 is not UTF-8; .*data.encoding=latin-1"):
        load(tmp_path, labels=str(tmp_path / "l.csv"))
    with pytest.raises(ConfigError, match=r"data.encoding: got latin-1 without data.labels"):
        load(tmp_path, encoding="latin-1")
