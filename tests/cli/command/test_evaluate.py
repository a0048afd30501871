"""`dlexp eval` as users and scripts run it."""

import json

import numpy as np


def test_a_table_for_people_and_one_document_for_scripts(dlexp, trained):
    code, out, err = dlexp("eval", "last")
    assert (code, err) == (0, "")
    assert "examples of val" in out
    assert "accuracy" in out
    code, out, err = dlexp("eval", "last", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["split"] == "val"
    (path,) = trained.glob("runs/iris/*/predictions/val.npz")
    with np.load(path) as stored:
        share = float((stored["output"].argmax(1) == stored["target"]).mean())
    assert document["metrics"]["val/accuracy"] == share
    assert f"{share:.4f}" in err, "people read beside the document"


def test_opening_the_test_part_is_counted_and_said(dlexp):
    counts = []
    for words in ("once", "2 times"):
        code, out, err = dlexp("eval", "last", "--split", "test", "--json")
        assert code == 0
        counts.append(json.loads(out)["openings"])
        assert f"the test part of this run has been opened {words}" in err
    assert counts == [1, 2]


def test_an_unknown_run_is_one_line(dlexp):
    code, out, err = dlexp("eval", "nothing")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("run error: nothing")
