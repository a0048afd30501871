"""`dlexp runs` as users and scripts run it."""

import json

import pytest


def test_a_line_a_run_and_one_document(dlexp):
    code, out, err = dlexp("runs")
    assert (code, err) == (0, "")
    header, line = out.splitlines()
    assert header.split()[0] == "run"
    code, text, _ = dlexp("runs", "--json")
    (record,) = json.loads(text)
    assert line.split()[0] == record["run_id"]
    assert record["status"] == "finished"
    assert "finished" in line
    assert f"{record['metrics']['val/accuracy']:.4g}" in line


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--experiment", "iris"], 1),
        (["--filter", "status = finished"], 1),
        (["--filter", "metrics.val/accuracy > 1"], 0),
    ],
)
def test_what_is_asked_for(dlexp, arguments, count):
    code, out, _ = dlexp("runs", "--json", *arguments)
    assert (code, len(json.loads(out))) == (0, count)
    code, out, _ = dlexp("runs", *arguments)
    assert code == 0
    assert ("no run matches" in out) == (count == 0)


def test_an_empty_folder_says_how_to_fill_it(dlexp):
    code, out, _ = dlexp("runs", "--runs-dir", "elsewhere")
    assert (code, out) == (0, "elsewhere: no runs yet; `dlexp train` makes one\n")


@pytest.mark.parametrize("arguments", [["--filter", "metrics.val/accuracy >"], ["--experiment", "wine"]])
def test_a_filter_that_cannot_be_read_and_an_unknown_experiment_are_one_line(dlexp, arguments):
    code, out, err = dlexp("runs", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
