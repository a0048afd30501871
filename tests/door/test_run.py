"""A run as an object says what its files and the commands say."""

import json
import re

import numpy as np
import pytest

import dlexp
from dlexp.data.digits import Digits
from dlexp.error import ConfigError, RunError
from tests.command import run

QUICK = ["tracking=none", "trainer.threads=1", "trainer.epochs=2", "model.widths=[8]"]


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("door") / "runs"


@pytest.fixture(scope="module")
def digits(runs_dir):
    document = dlexp.train([*QUICK, f"runs_dir={runs_dir}"])
    return dlexp.load(document["run_id"], runs_dir=runs_dir)


def test_it_says_what_its_files_say(digits):
    result = json.loads((digits.path / "result.json").read_text())
    assert (digits.kind, digits.status, digits.run_id) == ("train", "finished", result["run_id"])
    assert digits.result["metrics"] == result["metrics"]
    assert digits.config["model"]["widths"] == [8]
    assert digits.history["epoch"].tolist() == [1, 2]
    assert digits.history["val/accuracy"].max() == result["metrics"]["val/accuracy"]
    assert digits.children == []
    assert not digits.model.training


def test_predictions_are_those_stored_and_predicted_anew(digits):
    table = digits.predictions("val")
    assert (table["target"] == table["prediction"]).mean() == digits.result["metrics"]["val/accuracy"]
    rows, columns = table["id"].astype(int).to_numpy(), [name for name in table if name.startswith("p(")]
    images = Digits().load("auto").inputs.numpy()
    np.testing.assert_allclose(digits.predict(images[rows]), table[columns], atol=1e-5)


def test_it_predicts_as_the_command_does(digits, tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((3, 8, 8)).astype(np.float32))
    printed = json.loads(run(tmp_path, "predict", str(digits.path), "x.npy", "--json").stdout)["predictions"]
    expected = [list(entry["probabilities"].values()) for entry in printed]
    np.testing.assert_allclose(digits.predict(np.load(tmp_path / "x.npy")), expected, atol=1e-9)


def test_another_shape_is_refused(digits):
    with pytest.raises(ConfigError, match="got examples of shape"):
        digits.predict(np.zeros((2, 9, 9), dtype=np.float32))


def test_values_are_in_their_unit(runs_dir):
    diabetes = dlexp.load(dlexp.train([*QUICK, "data=diabetes", f"runs_dir={runs_dir}"])["run_id"], runs_dir=runs_dir)
    table = diabetes.predictions()
    assert list(table) == ["id", "target", "prediction"]
    error = np.sqrt(np.mean((table["target"].to_numpy() - table["prediction"].to_numpy()) ** 2))
    assert error == pytest.approx(diabetes.result["metrics"]["val/rmse"], rel=1e-6)
    assert diabetes.predict(np.zeros((3, 10))).shape == (3,)


def test_children_and_pooled_predictions_of_a_cv(runs_dir):
    folds = dlexp.load(dlexp.cv([*QUICK, "data=iris", "cv.k=3", f"runs_dir={runs_dir}"])["run_id"], runs_dir=runs_dir)
    assert [child.kind for child in folds.children] == ["fold"] * 3
    table = folds.predictions()
    assert (table["target"] == table["prediction"]).mean() == folds.result["out_of_fold"]["accuracy"]
    assert set(table["target"]) == {"setosa", "versicolor", "virginica"}


def test_a_notebook_shows_the_head_of_the_report(digits):
    html = digits._repr_html_()
    assert html.startswith("<div><h4>")
    assert html.count("<td>") == 5
    answer = r"<p><b>[\d.]+ % of 359 validation examples \([\d.]+ to [\d.]+ %\); guessing the most frequent class gets"
    assert re.search(answer, html)
    assert "<" not in re.sub(r"</?(div|h4|p|b|br|small|table|tr|td)>", "", html)


def test_a_run_without_a_page_shows_a_table_without_a_word_unescaped(digits, monkeypatch):
    def refuse(folder):
        raise RunError("nothing to show")

    monkeypatch.setattr("dlexp.job.report.page.page_of_run", refuse)
    html = digits._repr_html_()
    assert html.startswith("<table>")
    assert f"<td>{digits.run_id}</td>" in html
    assert f"<td>{digits.result['metrics']['val/accuracy']:.4f}</td>" in html
    assert "<" not in re.sub(r"</?(table|tr|th|td)>", "", html)


def test_an_unknown_run_is_named(runs_dir):
    with pytest.raises(RunError, match="nothing: no such run"):
        dlexp.load("nothing", runs_dir=runs_dir)
