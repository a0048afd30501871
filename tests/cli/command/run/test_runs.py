"""`dlexp runs` as users and scripts run it."""

import json
import shutil

import pytest
from rich.cells import cell_len

from dlexp.run.folder import RunFolder
from dlexp.run.scan import find

LONG = "a long value that says a great deal more than anybody wants to read in a table"


def add(runs_dir, value, *overrides, experiment="digits", status="finished", kind="train", **result):
    params = dict(text.split("=", 1) for text in overrides)
    described = {"kind": kind, "monitor": {"metric": "val/accuracy"}, "params": {"trainer.epochs": 500, **params}}
    described["packages"] = {}  # spares the look at the environment
    folder = RunFolder.create(runs_dir, experiment, "x", config={}, overrides=list(overrides), manifest=described)
    metrics = {} if value is None else {"val/accuracy": value, "val/loss": 0.123456, "train/loss": 0.5}
    folder.write_result(
        {"kind": kind, "status": "finished", "metrics": metrics, "epochs": 3, "seconds": 9360.0, **result}
    )
    folder.update_manifest(status=status)
    folder.unlock()
    return folder.run_id


@pytest.fixture
def runs_dir(tmp_path):
    """Runs of two experiments: settings that differ, a sweep, one that was interrupted, one that diverged."""
    runs_dir = tmp_path / "runs"
    add(runs_dir, 0.123456, "model=cnn", experiment="pictures")
    add(runs_dir, 0.9, "optimizer.lr=0.1", "model=mlp")
    trials = [{"number": 0, "metrics": {"val/accuracy": 0.99}}, {"number": 1, "metrics": {"val/accuracy": 0.8}}]
    winner = {"metric": "val/accuracy", "trials": trials, "best": {"number": 0, "value": 0.99, "metrics": {}}}
    add(runs_dir, None, "optimizer.lr=0.1,0.2", kind="sweep", **winner)
    add(runs_dir, 0.95, f"data.path={LONG}", status="interrupted")
    add(runs_dir, None, "optimizer.lr=1000", "model=softmax", status="diverged")
    return runs_dir


def test_a_line_a_run_and_one_document(command, runs_dir):
    code, out, err = command("runs", "--runs-dir", str(runs_dir))
    assert (code, err) == (0, "")
    header, *lines = out.splitlines()
    assert header.split()[:4] == ["run", "experiment", "val/accuracy", "status"]
    code, text, _ = command("runs", "--runs-dir", str(runs_dir), "--json")
    records = json.loads(text)
    assert [line.split()[0] for line in lines] == [record["run_id"] for record in records]
    assert [record["experiment"] for record in records] == ["digits"] * 4 + ["pictures"]
    assert [record["value"] for record in records] == [0.99, 0.95, 0.9, None, 0.123456]


@pytest.mark.parametrize(
    ("statuses", "words"), [(["finished", "stopped_early"], "2 folds"), (["finished", "interrupted"], "1 of 2 folds")]
)
def test_folds_that_were_not_trained_are_not_called_done(command, tmp_path, statuses, words):
    folds = [{"fold": k, "repeat": 0, "status": status, "metrics": {}} for k, status in enumerate(statuses)]
    add(tmp_path, None, kind="cv", metric="val/accuracy", folds=folds)
    code, out, err = command("runs", "--runs-dir", str(tmp_path))
    assert (code, err) == (0, "")
    assert words in " ".join(out.split())
    assert ("1 of" in out) == ("1 of" in words)


@pytest.mark.parametrize("width", [20, 40, 60, 80, 140, 200])
def test_no_line_is_wider_than_the_terminal_and_what_does_not_fit_is_counted(on_terminal, runs_dir, width):
    lines = on_terminal(width, "runs", "--runs-dir", str(runs_dir))
    assert max(map(cell_len, lines)) <= width
    tables = "\n".join(lines).split("\n\n")
    assert len(tables) == 2
    above = tables[0].splitlines()
    head = next(at for at, line in enumerate(above) if line.startswith("run "))
    assert " ".join(above[:head]).startswith("digits: 4 runs, best val/accuracy first")
    header, *rows = above[head:]
    hidden = int(rows.pop().split()[0]) if rows[-1].startswith("+") else 0
    assert len(rows) == 4
    wide = on_terminal(1000, "runs", "--runs-dir", str(runs_dir))[1].split()
    assert len(header.split()) + hidden == len(wide)
    assert header.split() == [name for name in wide if name in header.split()]


def test_run_metric_and_status_survive_at_60_columns(on_terminal, runs_dir):
    lines = on_terminal(60, "runs", "--runs-dir", str(runs_dir))
    rows = [line.split() for line in lines[2:6]]
    assert lines[1].split()[:4] == ["run", "val/accuracy", "status", "done"]
    assert rows[0][1:] == ["0.9900", "finished", "2", "trials"]
    assert rows[1][1:] == ["0.9500", "interrupted", "3", "of", "500", "epochs"]
    assert rows[3][1:3] == ["diverged", "3"]


def test_wide_shows_every_column_and_whole_values(on_terminal, runs_dir):
    text = "\n".join(on_terminal(60, "runs", "--wide", "--runs-dir", str(runs_dir)))
    assert "+" not in text
    assert "2 h 36 min" in text
    assert "0.1235" in text, "four significant digits"


def test_long_values_are_cut_unless_wide(on_terminal, runs_dir):
    add(runs_dir, 0.5, f"data.target={LONG}")
    add(runs_dir, 0.5, "data.target=y")
    assert LONG not in "\n".join(on_terminal(300, "runs", "--runs-dir", str(runs_dir)))
    assert LONG in "\n".join(on_terminal(300, "runs", "--wide", "--runs-dir", str(runs_dir)))


def test_columns_that_are_named_and_a_limit(on_terminal, runs_dir):
    chosen = ["--columns", "run_id,took,params.model", "--limit", "1", "--experiment", "digits"]
    _, header, row, hidden = on_terminal(80, "runs", "--runs-dir", str(runs_dir), *chosen)
    assert header.split() == ["run", "took", "model"]
    assert row.split()[1:] == ["2", "h", "36", "min"]
    assert hidden == "+3 runs (--limit)"


def test_the_newest_first_in_one_table(on_terminal, runs_dir):
    lines = on_terminal(80, "runs", "--runs-dir", str(runs_dir), "--sort", "-start", "--limit", "2")
    assert lines[0] == "5 runs, newest first"
    assert lines[2].split()[0] == find(runs_dir, "last").run_id
    assert lines[-1].endswith("+3 runs (--limit)")


def test_other_validation_examples_have_a_table_and_a_word(on_terminal, runs_dir):
    for split_seed in (1, 2):
        run_id = add(runs_dir, 0.5, f"data.split_seed={split_seed}", experiment="pictures")
        find(runs_dir, run_id).update_manifest(validated_on=f"{split_seed}")
    lines = on_terminal(120, "runs", "--runs-dir", str(runs_dir), "--experiment", "pictures")
    assert [line.rstrip() for line in lines if "first" in line] == [
        "pictures (data.split_seed=2): 1 run, best val/accuracy first",
        "pictures (data.split_seed=1): 1 run, best val/accuracy first",
        "pictures (examples not recorded): 1 run, best val/accuracy first",
    ]
    assert lines[-1].rstrip().endswith("scores do not rank from table to table.")


def test_a_title_in_the_singular(on_terminal, runs_dir):
    assert on_terminal(80, "runs", "--runs-dir", str(runs_dir), "--experiment", "pictures")[0].startswith(
        "pictures: 1 run, "
    )


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--experiment", "pictures"], 1),
        (["--filter", "status = finished"], 3),
        (["--filter", "metrics.val/accuracy > 1"], 0),
        (["--filter", "value > 0.96"], 1),
        (["--tag", "none"], 0),
    ],
)
def test_what_is_wanted(command, runs_dir, arguments, count):
    code, out, _ = command("runs", "--json", "--runs-dir", str(runs_dir), *arguments)
    assert (code, len(json.loads(out))) == (0, count)
    code, out, _ = command("runs", "--runs-dir", str(runs_dir), *arguments)
    assert code == 0
    assert ("no run matches" in out) == (count == 0)


def test_an_empty_folder_says_how_to_fill_it(command, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, _ = command("runs", "--runs-dir", "elsewhere")
    assert (code, out) == (0, "elsewhere: no runs yet; `dlexp train` makes one\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--filter", "metrics.val/accuracy >"],
        ["--experiment", "wine"],
        ["--columns", "statsu"],
        ["--sort", "accuracy"],
        ["--limit", "0"],
    ],
)
def test_what_cannot_be_understood_is_one_line(command, runs_dir, arguments):
    code, out, err = command("runs", "--runs-dir", str(runs_dir), *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_no_path_is_broken_on_a_narrow_terminal(on_terminal, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    quick = ["data=iris", "model=softmax", "trainer.epochs=1", "tracking=none", f"runs_dir={tmp_path / ('long' * 20)}"]
    for kind, more in (("train", []), ("cv", ["cv.k=2"]), ("sweep", ["optimizer.lr=0.1,0.2"])):
        lines = on_terminal(40, kind, *quick, *more)
        (path,) = (path for path in tmp_path.glob("long*/iris/*") if (path / "manifest.json").exists())
        label = "run" if kind == "train" else kind
        assert f"{label} folder  {path.relative_to(tmp_path)}" in lines
        shutil.rmtree(path)
