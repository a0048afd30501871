"""What an epoch leaves in a run folder: the history, a line in the log, the last and the best checkpoint."""

import pytest
import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.execution.save.saver import Saver, append_epoch, save_epoch
from dlexp.run.folder import RunFolder


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path, "digits", "x", config={}, overrides=[], manifest={"kind": "train"})
    yield made
    made.unlock()


def program(*overrides: str):
    shared = ["tracking=none", "trainer.threads=1", "trainer.epochs=3", "data.limit=60"]
    return assemble(resolve([*shared, *overrides]).config).run


def epoch_end(epoch: int, *, is_best: bool) -> EpochEnd:
    return EpochEnd(0, epoch, 2 * epoch, 0.1, {"val/accuracy": 0.5}, 1.25, is_best)


def test_the_history_and_the_log_have_the_epoch(folder):
    append_epoch(folder, epoch_end(1, is_best=True))
    (record,) = folder.history()
    assert record.items() >= {"epoch": 1, "step": 2, "lr": 0.1, "val/accuracy": 0.5, "seconds": 1.25}.items()
    assert (folder.path / "log.txt").read_text().endswith("epoch 1: val/accuracy 0.5 lr 0.1 (1.25 s)\n")


def test_the_best_checkpoint_is_that_of_the_best_epoch(folder):
    run = program()
    weights: dict[int, dict] = {}
    for event in run.events():
        if isinstance(event, EpochEnd):
            weights[event.epoch] = {name: value.clone() for name, value in run.step.forward.weights(0).items()}
            save_epoch(run, folder, epoch_end(event.epoch, is_best=event.epoch == 2))
    for name, epoch in (("best", 2), ("last", 3)):
        stored, state = checkpoint.load(folder.checkpoints / name)
        assert state["epoch"] == epoch
        assert all(torch.equal(stored[key], value) for key, value in weights[epoch].items())
    assert any(not torch.equal(weights[2][key], weights[3][key]) for key in weights[2])
    assert folder.saved_epoch() == 3


def test_averaged_weights_are_the_best_ones_and_the_last_are_those_that_train(folder):
    run = program("trainer.ema=0.9")
    for event in run.events():
        if isinstance(event, EpochEnd):
            save_epoch(run, folder, epoch_end(event.epoch, is_best=True))
    (best, _), (last, _) = (checkpoint.load(folder.checkpoints / name) for name in ("best", "last"))
    assert any(not torch.equal(best[name], last[name]) for name in best)


@pytest.mark.parametrize(("status", "is_saved"), [("interrupted", True), ("finished", False), ("diverged", False)])
def test_an_interrupted_trial_is_saved_where_it_stands(folder, status, is_saved):
    run = program()
    events = run.events()
    while not isinstance(next(events), EpochEnd):
        pass
    saver = Saver(run, [folder])
    saver.leave(TrialEnd(0, status, "", 1))
    assert checkpoint.exists(folder.checkpoints / "last") == is_saved
