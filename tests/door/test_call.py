"""The commands as functions return what --json prints, and `import dlexp` imports nothing heavy."""

import json
import subprocess
import sys

import pytest

import dlexp
from dlexp.error import ConfigError
from tests.command import run

QUICK = ["data=iris", "tracking=none", "trainer.threads=1", "trainer.epochs=2", "model.widths=[4]"]


@pytest.fixture
def words(tmp_path):
    return [*QUICK, f"runs_dir={tmp_path}/runs"]


def without_identity(document):
    text = json.loads(json.dumps(document))
    for name in ("run_id", "run_dir", "seconds"):
        text.pop(name)
    return text


def test_train_returns_the_document_of_the_command(words, tmp_path, capfd):
    document = dlexp.train(words)
    assert capfd.readouterr() == ("", "")
    printed = json.loads(run(tmp_path, "train", *words, "--json").stdout)
    assert without_identity(document) == without_identity(printed)


def test_sweep_cv_and_compare(words, tmp_path):
    searched = dlexp.sweep([*words, "optimizer.lr=0.01,0.1"])
    assert (searched["kind"], len(searched["trials"])) == ("sweep", 2)
    folds = dlexp.cv([*words, "cv.k=3"])
    assert (folds["kind"], folds["complete"], len(folds["folds"])) == ("cv", True, 3)
    refs = [f"{searched['run_id']}:1", f"{searched['run_id']}:2"]
    document = dlexp.compare(refs, runs_dir=tmp_path / "runs")
    assert document == json.loads(run(tmp_path, "compare", *refs, "--json").stdout)


def test_errors_are_those_of_the_command_line(words):
    with pytest.raises(ConfigError, match=r"model.wdths.*did you mean model.widths"):
        dlexp.train([*words, "model.wdths=[3]"])
    with pytest.raises(ConfigError, match="got the text 'data=wine'; a list"):
        dlexp.train("data=wine")


def test_importing_imports_nothing_heavy():
    heavy = {"torch", "mlflow", "optuna", "matplotlib", "sklearn", "pandas", "hydra"}
    code = f"import sys, dlexp; dlexp.load, dlexp.train; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_other_names_are_no_attributes():
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        getattr(dlexp, "trian")  # noqa: B009 - a type checker sees through the plain form
