"""A cv names the examples whose label is probably wrong: by the mean of what its repeats say, with names of classes."""

import json
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from dlexp.job.cv.suspect import find_suspects
from dlexp.run.folder import RunFolder
from tests.command import run

DATASET = cast(Any, SimpleNamespace(class_names=["cat", "dog"]))


def pooled(tmp_path, ids, targets, outputs) -> RunFolder:
    folder = RunFolder.create(tmp_path, "pets", "x", config={}, overrides=[], manifest={"kind": "cv", "packages": {}})
    folder.write_predictions("val", ids, np.array(targets), np.array(outputs, dtype=np.float32))
    folder.unlock()
    return folder


@pytest.mark.parametrize("num_columns", [1, 2])
def test_repeats_are_averaged_and_classes_named(tmp_path, num_columns):
    leads = np.array([[-5.0, -3.0, 5.0, 3.0, 4.0, 5.0], [-5.0, -3.0, 4.5, 3.0, 4.0, 5.0]])  # of dog, by repeat
    outputs = leads.reshape(-1, 1) if num_columns == 1 else np.stack([0 * leads, leads], -1).reshape(-1, 2)
    ids = ["a", "b", "c", "d", "e", "f"] * 2
    document = find_suspects(pooled(tmp_path, ids, [0, 0, 0, 1, 1, 1] * 2, outputs), DATASET)
    assert document is not None
    (suspect,) = document["examples"]
    p = 1 / (1 + np.exp(-np.array([5.0, 4.5])))
    assert (document["num"], document["num_examples"]) == (1, 6)
    assert (suspect["id"], suspect["label"], suspect["likelier"]) == ("c", "cat", "dog")
    assert document.get("note") == ""  # one of six is no more than a fifth
    assert suspect["likelier_probability"] == pytest.approx(p.mean())
    assert suspect["label_probability"] == pytest.approx(1 - p.mean())


def test_too_many_suspects_are_said_to_speak_of_the_models(tmp_path):
    leads = np.array([-5.0, 5.0, 5.0, -5.0])  # half of the labels look wrong
    outputs = np.stack([0 * leads, leads], -1)
    document = find_suspects(pooled(tmp_path, ["a", "b", "c", "d"], [0, 0, 1, 1], outputs), DATASET)
    assert document is not None
    assert document["num"] == 2
    assert document.get("note") == "so many say more of the models than of the labels"


def test_outputs_that_are_not_finite_name_none(tmp_path):
    assert find_suspects(pooled(tmp_path, ["a", "b"], [0, 1], [[np.nan, 0.0], [0.0, 1.0]]), DATASET) is None


def test_a_cv_lists_them_in_its_result_and_on_the_screen(tmp_path):
    draw = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = np.eye(3)[y] * 4 + draw.standard_normal((120, 3)) / 4
    flipped = [5, 22, 39, 50, 76, 91]
    y[flipped] = (y[flipped] + 1) % 3
    np.savez(tmp_path / "wrong.npz", x=x.astype(np.float32), y=y)
    words = ["data=arrays", "data.path=wrong.npz", "tracking=none", "trainer.epochs=10", "data.test_fraction=0"]
    result = run(tmp_path, "cv", *words, "--json")
    suspects = json.loads(result.stdout)["suspects"]
    named = {int(each["id"]) for each in suspects["examples"]}
    assert named <= set(flipped)
    assert suspects["num"] == len(named) >= 3
    assert f"labels that are probably wrong: {len(named)} of 120" in result.stderr


def test_a_cv_that_guesses_doubts_no_label(tmp_path):
    drawn = ["data=fake", "data.shape=[4]", "data.num_classes=2", "data.num_train=60", "data.num_val=20"]
    done = run(tmp_path, "cv", "--json", *drawn, "model=softmax", "trainer.epochs=1", "tracking=none", "cv.k=2")
    result = json.loads(done.stdout)
    assert result["guess"]["is_beaten"] is False
    assert "suspects" not in result
    assert "no better than guessing" in done.stderr
