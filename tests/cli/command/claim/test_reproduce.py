"""`dlexp reproduce` as a user types it; rows that take less than a second, with their controls."""

import json

import pytest

from tests import command

QUICK = ["adagrad-rate", "adam-bias-correction", "bottleneck", "global-pooling", "random-beats-grid", "receptive-field"]
QUICK += ["selection-bias", "three-small-kernels"]
FIGURE = ["--figure", "f.png"]


def test_quick_claims_hold_and_none_of_their_swaps(tmp_path):
    done = command.run(tmp_path, "reproduce", *QUICK, "--json")
    assert done.returncode == 0, done.stderr
    assert [claim["verdict"] for claim in json.loads(done.stdout)["claims"]] == ["holds"] * len(QUICK)
    done = command.run(tmp_path, "reproduce", *QUICK, "--control", "--json")
    assert done.returncode == 0, done.stderr
    assert {claim["verdict"] for claim in json.loads(done.stdout)["claims"]} == {"does not hold"}
    assert not list(tmp_path.iterdir())


def test_a_claim_that_trains_holds_and_leaves_its_runs_where_they_are_wanted(tmp_path):
    done = command.run(tmp_path, "reproduce", "zeros-fail", "--seeds", "2", "--keep", "runs", *FIGURE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "f.png").stat().st_size > 0
    assert "holds" in done.stdout
    assert "f.png" in done.stdout
    assert len(list((tmp_path / "runs" / "zeros-fail").glob("digits/*/result.json"))) == 2


def test_without_a_name_all_are_listed(tmp_path):
    done = command.run(tmp_path, "reproduce")
    assert "he-thirty-layers" in done.stdout
    assert len(json.loads(command.run(tmp_path, "reproduce", "--json").stdout)["claims"]) >= 30


@pytest.mark.parametrize(
    "words",
    [
        ["nothing"],
        ["zeros-fail", "--seeds", "1"],
        FIGURE,
        ["bottleneck", *FIGURE],
        ["zeros-fail", "l1-sparse", *FIGURE],
    ],
)
def test_bad_input_is_one_line(tmp_path, words):
    done = command.run(tmp_path, "reproduce", *words)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_claim_that_does_not_hold_ends_with_1(tmp_path, monkeypatch):
    from dlexp.claim import recipe

    false = recipe.read("receptive-field") | {"expected": (8.0, 9.0)}
    monkeypatch.setattr(recipe, "read", lambda name: false)
    done = command.run(tmp_path, "reproduce", "receptive-field")
    assert done.returncode == 1
    assert "does not hold" in done.stdout
