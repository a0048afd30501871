"""`dlexp data` as a user runs it."""

import json

from PIL import Image

from dlexp.figure.style.look import Look, look


def test_people_and_scripts_read_the_same(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(
        "\n".join(["n,0,y", *(f"{i},{'ab'[i % 2]},{'[no]' if i % 3 else 'yes'}" for i in range(60))])
    )
    overrides = ["data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y"]
    code, out, err = command("data", *overrides)
    assert (code, err) == (0, "")
    assert "t (binary): 60 examples of 3" in out
    assert "0 [no]" in out
    assert "warning column n counts the rows: a leak?" in out
    code, out, err = command("data", *overrides, "data.drop=[0]", "--json", "--figure", str(tmp_path / "f.png"))
    document = json.loads(out)
    assert code == 0
    assert [column["name"] for column in document["columns"]] == ["n"]
    assert document["figure"] == str(tmp_path / "f.png")
    assert (tmp_path / "f.png").is_file()
    assert "counts the rows" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.png", "t.csv"]


def test_a_figure_has_the_size_and_the_dots_that_are_asked_for(command, tmp_path, drawn):
    file = tmp_path / "f.png"
    code, _, _ = command("data", "data=iris", "--figure", str(file), "--figure-size", "8x6", "--figure-dpi", "300")
    assert code == 0
    with Image.open(file) as image:
        assert image.size == (944, 708)
    code, _, err = command("data", "data=iris", "--figure", str(file), "--figure-size", "2")
    assert (code, "--figure-size: got 2; " in err) == (2, True)
    assert look() == Look()  # of that command alone
    code, _, err = command("data", "data=wine", "--figure", str(file), "--figure-size", "8x4")
    assert (code, "--figure-size: got 8 cm x 4 cm; the labels of the figure leave no room" in err) == (2, True)


def test_refusals_are_those_of_training(command, tmp_path):
    code, out, err = command("data", "data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y")
    assert (code, out) == (2, "")
    assert "t.csv: no such file" in err
