"""A trial whose files disagree, as after a power cut, is never believed; it is trained anew with the same numbers."""

import json
import shutil

import pytest

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.error import DataError
from dlexp.execution.description import as_divided, write_parts
from dlexp.execution.integrity import is_intact, require_same_data
from dlexp.job.inference.evaluate import evaluate
from dlexp.job.sweep import sweep
from dlexp.run.folder import RunFolder

SHARED = ["tracking=none", "trainer.threads=1", "data.limit=300", "model.widths=[16]", "trainer.epochs=2"]


def test_examples_that_were_divided_otherwise_are_not_gone_on_with(tmp_path):
    data = load_data(resolve(["data=wine"]).config)
    folder = RunFolder.create(
        tmp_path,
        "wine",
        "x",
        config={},
        overrides=[],
        manifest={"kind": "train", "data": {"fingerprint": data.fingerprint}},
    )
    require_same_data(folder, data)  # trials state no division
    write_parts(folder, data)
    require_same_data(folder, data)
    other = data.with_parts(data.train[1:], data.val)
    with pytest.raises(DataError, match=r"wine: an earlier version of dlexp divided the examples of run \S+ otherwise"):
        require_same_data(folder, other)
    assert as_divided(folder, other).train.equal(data.train)
    folder.unlock()


class Heard:
    def __init__(self):
        self.trained = []

    def listen(self, event):
        if type(event).__name__ == "TrialDone" and event.is_new:
            self.trained.append(event.result.trial.id)

    def close(self):
        pass


def run(runs_dir):
    heard = Heard()
    overrides = [*SHARED, "optimizer.lr=0.01,0.1", f"runs_dir={runs_dir}"]
    outcome = sweep.start(overrides, None, announce=lambda _about: heard, has_figures=False)
    trials = outcome.outcome.result["trials"]
    return heard.trained, {trial["run_id"]: trial["metrics"] for trial in trials}, trials[0]["run_dir"]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A sweep of two trials: its folder of runs, and their metrics."""
    place = tmp_path_factory.mktemp("whole")
    _, metrics, _ = run(place)
    return place, metrics


def trial_of(runs_dir):
    return RunFolder(sorted(runs_dir.glob("*/*/trials/*"))[0])


def empty(name):
    return lambda folder: (folder.path / name).write_bytes(b"")


def cut_history(folder):
    path = folder.path / "metrics.jsonl"
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")


def zero_history(folder):
    path = folder.path / "metrics.jsonl"
    path.write_bytes(b"\0" * len(path.read_bytes()))


def as_if_running(folder):
    folder.update_manifest(status="running", end=None)


def running_with_short_history(folder):
    as_if_running(folder)
    cut_history(folder)


def running_without_best(folder):
    as_if_running(folder)
    shutil.rmtree(folder.checkpoints / "best")


def running_with_torn_state(folder):
    as_if_running(folder)
    (folder.checkpoints / "last" / "state.pt").write_bytes(b"torn")


DAMAGES = {
    "manifest": empty("manifest.json"),
    "no manifest": lambda folder: (folder.path / "manifest.json").unlink(),
    "configuration": empty("config.yaml"),
    "result": empty("result.json"),
    "predictions": empty("predictions/val.npz"),
    "model": empty("model.json"),
    "history cut": cut_history,
    "history of zeros": zero_history,
    "weights": empty("checkpoints/best/weights.safetensors"),
    "no checkpoints": lambda folder: shutil.rmtree(folder.checkpoints / "last"),
    "running, history short": running_with_short_history,
    "running, no best": running_without_best,
    "running, state torn": running_with_torn_state,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_trial_is_noticed(done, tmp_path, damage):
    shutil.copytree(done[0], tmp_path / "runs")
    folder = trial_of(tmp_path / "runs")
    assert is_intact(folder)
    damage(folder)
    assert not is_intact(folder)


def test_what_a_kill_leaves_is_gone_on_with(done, tmp_path):
    shutil.copytree(done[0], tmp_path / "runs")
    folder = trial_of(tmp_path / "runs")
    as_if_running(folder)
    assert is_intact(folder)
    folder.append_epoch({"epoch": 3})  # the next epoch was recorded, its checkpoint was not written
    assert is_intact(folder)
    shutil.rmtree(folder.checkpoints)
    assert is_intact(folder)  # it begins anew in the same folder


def test_a_failed_trial_needs_no_results(done, tmp_path):
    shutil.copytree(done[0], tmp_path / "runs")
    folder = trial_of(tmp_path / "runs")
    (folder.path / "result.json").unlink()
    folder.update_manifest(status="failed", reason="out of memory")
    assert is_intact(folder)


def test_a_trial_that_is_evaluated_again_stays_intact_and_a_damaged_one_damaged(done, tmp_path):
    shutil.copytree(done[0], tmp_path / "runs")
    folder = trial_of(tmp_path / "runs")
    predictions = folder.predictions("val")
    folder.write_predictions(
        "val", predictions["id"], predictions["target"], predictions["output"] + 1
    )  # as another device might
    assert not is_intact(folder)
    evaluate(str(folder.path), tmp_path / "runs", "val")
    assert is_intact(folder)
    cut_history(folder)
    evaluate(str(folder.path), tmp_path / "runs", "val")
    assert not is_intact(folder)


@pytest.mark.parametrize("name", ["manifest", "history cut", "running, no best"])
def test_a_damaged_trial_is_trained_anew_to_the_same_numbers(done, tmp_path, name):
    shutil.copytree(done[0], tmp_path / "runs")
    folder = trial_of(tmp_path / "runs")
    DAMAGES[name](folder)
    trained, metrics, _ = run(tmp_path / "runs")
    assert trained == [folder.run_id]
    assert metrics == done[1]
    assert is_intact(folder)
    assert json.loads((folder.path / "manifest.json").read_text())["status"] == "finished"
