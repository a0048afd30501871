"""`dlexp show` as a user runs it: a run on a page that fits the terminal."""

import json

import pytest
from rich.cells import cell_len

from dlexp.run.listing import note


@pytest.fixture
def run(fake_run):
    run = fake_run()
    run.folder.update_manifest(monitor={"metric": "val/accuracy"}, command="dlexp train optimizer.lr=0.1", resumes=1)
    run.train(1, 4)
    note.write(run.folder.path, note="odd", add=["bad"], remove=[])
    run.end()
    return run


def test_everything_of_a_run_stands_on_the_page(command, run):
    code, out, err = command("show", run.folder.run_id[:9], "--runs-dir", str(run.folder.runs_dir))
    assert (code, err) == (0, "")
    labels = {line.split("  ")[0]: line.rstrip() for line in out.splitlines()}
    assert labels["note"].endswith("odd")
    assert labels["tags"].endswith("bad")
    assert labels["command"].endswith("dlexp train optimizer.lr=0.1")
    assert "resumed 1 time" in labels["started"]
    assert labels["judged by"].endswith("val/accuracy 0.8000")
    assert labels["curve"].endswith("0.5000 to 0.8000")
    assert labels["figures"].endswith("curve.png")
    assert "last of epoch 4" in labels["checkpoints"]
    assert labels["accuracy"].split() == ["accuracy", "0.8000", "0.7500"]


def trial(**overrides):
    return {"overrides": overrides, "status": "finished", "value": 0.5}


@pytest.mark.parametrize(
    ("fields", "shown"),
    [({"trials": [trial(seed=2), trial(lr=1, seed=1), trial(seed=2)]}, "1, 2"), ({"seeds": [3, 4]}, "3, 4"), ({}, "3")],
)
def test_the_seeds_are_those_of_what_was_trained(command, run, fields, shown):
    run.folder.write_result({**run.folder.result, **fields})
    out = command("show", run.folder.run_id, "--runs-dir", str(run.folder.runs_dir))[1]
    assert [line.split(None, 1)[1].strip() for line in out.splitlines() if line.startswith("seed ")] == [shown]


def test_it_is_one_document(command, run):
    code, out, err = command("show", "last", "--json", "--runs-dir", str(run.folder.runs_dir))
    document = json.loads(out)
    assert (code, document["run"]["run_id"]) == (0, run.folder.run_id)
    assert "odd" in err


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_it_fits_the_terminal(on_terminal, run, width):
    run.folder.log("a very long line " * 30)
    lines = on_terminal(width, "show", "last", "--runs-dir", str(run.folder.runs_dir))
    assert max(map(cell_len, lines)) <= width
    assert any(line.startswith("note") for line in lines)


def test_an_unknown_run_is_one_line(command, tmp_path):
    code, out, err = command("show", "zzz", "--runs-dir", str(tmp_path))
    assert (code, out, err.count("\n")) == (2, "", 1)
