"""`dlexp data` as a user runs it."""

import json


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


def test_refusals_are_those_of_training(command, tmp_path):
    code, out, err = command("data", "data=csv", f"data.path={tmp_path / 't.csv'}", "data.target=y")
    assert (code, out) == (2, "")
    assert "t.csv: no such file" in err
