"""A trained run is trained again, alone, and told from one that was tampered with."""

from itertools import islice

import numpy as np
import pytest
import torch

from dlexp.build.components import Components
from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.engine import checkpoint
from dlexp.engine.event import TrialEnd
from dlexp.error import DataError, RunError
from dlexp.execution.assignment import Assignment, ExecutorEvent, Group
from dlexp.execution.executor import Executor
from dlexp.execution.fusion import SOLO, Choice
from dlexp.execution.group import train_group
from dlexp.job.train.difference import difference
from dlexp.job.train.verify import explain, verify
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from tests.present import present

COMMON = ["tracking=none", "trainer.threads=1", "trainer.epochs=2", "data.limit=150", "optimizer=adam"]


def assignments(runs_dir, trials: int, *overrides: str) -> list[Assignment]:
    made = []
    for seed in range(trials):
        config = resolve([*COMMON, f"seed={seed}", *overrides]).config
        data = load_data(config)
        manifest = {"kind": "trial", "data": {"fingerprint": data.fingerprint}, "test_openings": 0, "threads": 1}
        manifest["monitor"] = {"metric": "val/accuracy", "mode": "max"}
        folder = RunFolder.create(runs_dir, "x", f"t{seed}", config=config, overrides=[], manifest=manifest)
        made.append(Assignment(config, folder.path, "trial", built=Components(config, data)))
    return made


def train(made: list[Assignment], choice: Choice) -> list[TrialEnd]:
    told = Executor()(Group(made, choice, 1), lambda: False)
    events = [heard.event for heard in told if isinstance(heard, ExecutorEvent)]
    return [event for event in events if isinstance(event, TrialEnd)]


def listed(folder: RunFolder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("overrides", [[], ["model=cnn"], ["dropout=inverted", "trainer.ema=0.5"]])
def test_a_trial_of_a_stack_is_the_same_alone_and_nothing_of_it_is_touched(tmp_path, overrides):
    made = assignments(tmp_path, 3, *overrides)
    assert [end.status for end in train(made, Choice("batched", 3, 1.0, ""))] == ["finished"] * 3
    before = listed(made[1].folder)
    document = verify(made[1].folder.run_id, tmp_path)
    assert (document["engine"], document["is_bitwise"], document["reasons"]) == ("batched", True, [])
    kinds = {"history", "last weights", "optimiser state", "best weights", "predictions"}
    assert set(document["differences"]["batched"]) == set(document["differences"]["solo"]) == kinds
    assert max(map(present, document["differences"]["solo"].values())) < 0.1
    if overrides == ["model=cnn"]:
        assert max(map(present, document["differences"]["solo"].values())) == 0.0
    assert listed(made[1].folder) == before


def test_what_was_tampered_with_is_found(tmp_path):
    (made,) = assignments(tmp_path, 1)
    train([made], SOLO)
    for name in ("last", "best"):
        weights, state = checkpoint.load(made.folder.checkpoints / name)
        weights["output.bias"][0] += 0.5
        checkpoint.save(made.folder.checkpoints / name, weights, state)
    document = verify(str(made.folder.path), tmp_path)
    assert not document["is_bitwise"]
    alone = document["differences"]["solo"]
    assert alone["last weights"] == alone["best weights"] == pytest.approx(0.5, abs=1e-6)
    assert alone["history"] == alone["predictions"] == 0.0


def test_a_run_that_was_interrupted_inside_an_epoch(tmp_path):
    (made,) = assignments(tmp_path, 1)
    questions = iter(range(100))
    for _, event, _ in train_group(Group([made], SOLO, 1), lambda: next(questions) >= 9):
        if isinstance(event, TrialEnd):
            made.folder.update_manifest(status=event.status)
    assert checkpoint.load(made.folder.checkpoints / "last")[1]["position"] > 0
    document = verify(str(made.folder.path), tmp_path)
    assert document["is_bitwise"]
    assert "predictions" not in document["differences"]["solo"]


def test_runs_without_anything_to_compare_and_other_data_are_refused(tmp_path):
    (made,) = assignments(tmp_path, 1)
    with pytest.raises(RunError, match="is being trained; there is nothing to compare"):
        verify(str(made.folder.path), tmp_path)
    made.folder.update_manifest(status="diverged")
    with pytest.raises(RunError, match="has no checkpoint; there is nothing to compare"):
        verify(str(made.folder.path), tmp_path)
    made.folder.update_manifest(status="running")
    train([made], SOLO)
    made.folder.update_manifest(data={"fingerprint": "other"})
    with pytest.raises(DataError, match="the data changed since"):
        verify(str(made.folder.path), tmp_path)
    with pytest.raises(RunError, match="no such run"):
        verify("zzz", tmp_path)


def test_folds_are_found_by_id_inside_settings_inside_cvs(tmp_path):
    manifest = {"kind": "cv"}
    outer = RunFolder.create(tmp_path, "x", "cv", config={}, overrides=[], manifest=manifest)
    setting = RunFolder.create(outer.path, "settings", "a", config={}, overrides=[], manifest=manifest)
    fold = RunFolder.create(setting.path, "folds", "f", config={}, overrides=[], manifest={"kind": "fold"})
    assert scan.find(tmp_path, fold.run_id).path == fold.path
    with pytest.raises(RunError, match="got a cv; name one of the runs in it"):
        verify(str(setting.path), tmp_path)


def test_an_engine_changed_midway_is_named(tmp_path):
    made = assignments(tmp_path, 2)
    list(
        islice(train_group(Group(made, Choice("batched", 2, 1.0, ""), 1)), 3)
    )  # it begins, both have an epoch, then a kill
    train(made, SOLO)
    assert made[0].folder.manifest["engine"] == "batched then solo"
    document = verify(str(made[0].folder.path), tmp_path)
    assert not document["is_bitwise"]
    assert any("changed its engine midway" in reason for reason in document["reasons"])


def test_the_smallest_difference_counts_and_nan_is_equal_to_nan():
    a = torch.tensor([1.0, torch.nan])
    assert difference(a, a.clone()) == 0.0
    assert difference(a, torch.tensor([np.nextafter(np.float32(1), np.float32(2)), torch.nan])) > 0
    assert difference(a, torch.tensor([1.0, 2.0])) == float("inf")
    assert difference(a, a.double()) == float("inf")
    assert difference(torch.tensor([torch.inf]), torch.tensor([torch.inf])) == 0.0


def test_reasons_name_what_changed():
    manifest = {"packages": {"torch": "2.0", "mlflow": "1"}, "device": "cuda:0", "git": None}
    reasons = explain(manifest, "vmapped", "cpu")
    assert any(reason.startswith("torch changed from 2.0 to ") for reason in reasons)
    assert any(reason.startswith("the device changed from cuda:0 to cpu") for reason in reasons)
    assert any("batch norm mapped over trials" in reason for reason in reasons)
    assert not any("mlflow" in reason for reason in reasons)
