"""Nearest neighbours and the largest class through every command that takes a run."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from dlexp.build.components import Components
from dlexp.config.resolve import resolve
from dlexp.job.train.verify import verify
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from tests import command

ZERO = "data=csv data.path=z.csv data.target=y data.val_count=1 data.test_count=0 model.k=1 model.metric=cosine"
SHARED = ("data=iris", "tracking=none", "trainer.threads=1")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """Return a folder with runs: k = 3, the largest class, a sweep over k and two cvs."""
    folder = tmp_path_factory.mktemp("fitted")
    for words in (
        ("train", "model=knn", "model.k=3"),
        ("train", "model=majority"),
        ("sweep", "model=knn,majority", "model.k=1,3,9"),
        ("cv", "model=knn", "model.k=3", "cv.k=4"),
        ("cv", "model=majority", "cv.k=4"),
    ):
        done = command.run(folder, *words, *SHARED)
        assert done.returncode == 0, done.stderr
    return folder


def runs(place: Path, kind: str) -> list[RunFolder]:
    folders = sorted(map(RunFolder, scan.run_paths(place / "runs")), key=lambda folder: folder.run_id)
    return [folder for folder in folders if folder.manifest["kind"] == kind]


def test_a_run_holds_what_any_run_holds_and_no_pickle(place):
    knn, majority = runs(place, "train")
    for folder in (knn, majority):
        names = {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file()}
        assert {"manifest.json", "result.json", "metrics.jsonl", "model.json", "predictions/val.npz"} < names
        assert "checkpoints/best/weights.safetensors" in names
        assert not {name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))}
        assert (folder.result or {})["epochs"] == folder.config["trainer"]["epochs"] == 1
    guess = (majority.result or {})["guess"]["val/accuracy"]
    assert (majority.result or {})["metrics"]["val/accuracy"] == guess


def test_a_cv_equals_scikit_learn_in_every_fold(place):
    cv = runs(place, "cv")[0]
    made = Components.of(resolve([*SHARED, "model=knn"]).config)
    for fold in sorted((cv.path / "folds").iterdir()):
        stored = RunFolder(fold).predictions("val")
        held = [int(name) for name in stored["id"]]
        rest = [row for row in [*made.data.train.tolist(), *made.data.val.tolist()] if row not in held]
        x = made.data.inputs.numpy()
        mean, std = x[rest].mean(0), x[rest].std(0)
        searched = KNeighborsClassifier(3).fit((x[rest] - mean) / std, made.data.targets[rest])
        expected = searched.predict_proba((x[held] - mean) / std)
        np.testing.assert_allclose(np.exp(stored["output"]), expected, atol=1e-12)


def test_a_sweep_takes_the_majority_once(place):
    trials = (runs(place, "sweep")[0].result or {})["trials"]
    assert sorted(json.dumps(trial["overrides"]) for trial in trials) == sorted(
        json.dumps(each) for each in ({"model": "majority"}, *({"model": "knn", "model.k": k} for k in (1, 3, 9)))
    )
    assert {trial["status"] for trial in trials} == {"finished"}
    same = next(trial for trial in trials if trial["overrides"].get("model.k") == 3)
    assert same["metrics"] == pytest.approx(
        {
            name: value
            for name, value in (runs(place, "train")[0].result or {})["metrics"].items()
            if name in same["metrics"]
        }
    )


def test_it_is_trained_again_to_the_bit(place):
    for folder in runs(place, "train"):
        again = verify(folder.run_id, place / "runs")
        assert again["is_bitwise"], again["differences"]


def test_predict_gives_the_run_s_own_answers(place):
    knn = runs(place, "train")[0]
    stored, made = knn.predictions("val"), Components.of(resolve([*SHARED]).config)
    rows = made.data.inputs[made.data.val].numpy()
    names = made.data.feature_names or []
    lines = [",".join(names), *(",".join(map(repr, map(float, row))) for row in rows)]
    (place / "new.csv").write_text("\n".join(lines))
    done = command.run(place, "predict", knn.run_id, "new.csv", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)["predictions"]
    assert [each["class"] for each in said] == [made.data.class_names[k] for k in stored["output"].argmax(1)]
    for each, outputs in zip(said, stored["output"], strict=True):
        assert list(each["probabilities"].values()) == pytest.approx(np.exp(outputs).tolist())


def test_it_is_no_network_to_export(place):
    done = command.run(place, "export", runs(place, "train")[0].run_id)
    assert done.returncode == 1
    assert "got KNN, which keeps its training part" in done.stderr


@pytest.mark.parametrize("words", ["eval", "show", "report"])
def test_other_commands_take_it(place, words):
    for folder in runs(place, "train"):
        done = command.run(place, words, folder.run_id, "--json")
        assert done.returncode == 0, done.stderr


def test_two_cvs_are_compared_fold_by_fold(place):
    better, worse = runs(place, "cv")
    done = command.run(place, "compare", better.run_id, worse.run_id, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pairs"][0]["difference"] > 0.3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train model.k=0", "model.k: got 0; an integer >= 1 is needed"),
        ("train model.k=2.5", "model.k: got 2.5; an integer >= 1 is needed"),
        ("train model.k=500", "model.k: got 500; the training part has 90 examples, so at most 90"),
        ("cv model.k=110", "model.k: got 110; the training part has 96 examples, so at most 96"),
        ("sweep model.k=1,500", "1 of 2 settings cannot be trained: model.k=500: model.k: got 500"),
        (f"train {ZERO} normalize=none", "model.metric: got cosine; 1 training example of 8 is 0 throughout"),
        ("train data=diabetes model.smoothing=1", "model.smoothing: got 1; the data have values"),
        ("train launcher.devices=2", "launcher.devices: got 2; model=knn is fitted by one process"),
        ("diagnose", "model: got KNN, which is fitted in one step; only what learns by gradients is diagnosed"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path, words, message):
    (tmp_path / "z.csv").write_text("a,b,y\n" + "".join(f"{k // 2},{k % 3},{k % 2}\n" for k in range(9)))
    first, *rest = words.split()
    chosen = {word.partition("=")[0]: word for word in [*SHARED, "model=knn", *rest]}
    done = command.run(tmp_path, first, *chosen.values())
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
