"""A model that is fitted in one step, as a run: one epoch and an end, from the training part alone."""

import pytest
import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.data.dataset import Dataset
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.fitted.run import FittedRun
from dlexp.engine.snapshot import restore, snapshot

KNN1 = ["model=knn", "model.k=1", "tracking=none", "trainer.threads=1"]


def run_of(*overrides: str, data: Dataset | None = None) -> FittedRun:
    run = assemble(resolve([*KNN1, *overrides]).config, data).run
    assert isinstance(run, FittedRun)
    return run


def test_it_tells_of_one_epoch_and_its_end():
    run = run_of("data=iris")
    epoch, end = run.events()
    assert isinstance(epoch, EpochEnd)
    assert (epoch.epoch, epoch.step, epoch.lr, epoch.is_best) == (1, 1, 0.0, True)
    assert (
        epoch.metrics["train/accuracy"] == 1.0
    )  # each example is its own neighbour: iris has no copies with two names
    assert epoch.metrics["train/loss"] == pytest.approx(0.0, abs=1e-12)
    assert end == TrialEnd(0, "finished", "", 1)
    assert list(run.events()) == [end]


@pytest.mark.parametrize(("words", "loss"), [(KNN1[:2], 0.0), (["model=majority"], 1.0)])
def test_values_are_in_the_unit_of_the_training_targets(words, loss):
    """The mean is off by one standard deviation; the nearest example of a training example is itself."""
    run = assemble(resolve([*words, "tracking=none", "data=diabetes", "trainer.precision=fp64"]).config).run
    epoch, _ = run.events()
    assert isinstance(epoch, EpochEnd)
    assert epoch.metrics["train/loss"] == pytest.approx(loss, abs=1e-6)


def test_another_process_goes_on_where_it_was():
    first, second = run_of("data=iris"), run_of("data=iris")
    first.should_stop = lambda: True
    assert [event.status for event in first.events() if isinstance(event, TrialEnd)] == ["interrupted"]
    restore(second, *snapshot(first))
    epoch, _ = second.events()
    third = run_of("data=iris")
    restore(third, *snapshot(second))
    assert isinstance(epoch, EpochEnd)
    assert {f"val/{name}": value for name, [value] in third.evaluate().items()} == {
        name: value for name, value in epoch.metrics.items() if name.startswith("val/")
    }


class Counted:
    """Counts what a run predicts, and wishes to stop after so many pieces."""

    def __init__(self, run: FittedRun, last: int = 1000) -> None:
        self.num, self.last, self.predict = 0, last, run._model().predict
        run._model().predict, run.should_stop, run.eval_batch_size = self, lambda: self.num >= self.last, 32

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.num += 1
        return self.predict(x)


@pytest.mark.parametrize("data", ["iris", "diabetes"])
def test_a_wish_to_stop_is_heard_between_pieces_and_the_next_run_goes_on(data):
    alone = run_of(f"data={data}")
    all_pieces = Counted(alone)
    expected, _ = alone.events()
    assert isinstance(expected, EpochEnd)
    num_train = -(-len(alone.task.train[0]) // 32)
    assert all_pieces.num > num_train > 2
    for last in range(all_pieces.num):
        first, second = run_of(f"data={data}"), run_of(f"data={data}")
        until = Counted(first, last)
        assert [event.status for event in first.events() if isinstance(event, TrialEnd)] == ["interrupted"]
        assert until.num == last
        assert (first.elapsed > 0) == (last > 0)
        weights, state = snapshot(first)
        restore(second, weights, state)
        rest = Counted(second)
        epoch, end = second.events()
        assert isinstance(epoch, EpochEnd)
        assert epoch.metrics == expected.metrics
        assert end == TrialEnd(0, "finished", "", 1)
        assert rest.num == all_pieces.num - min(last, num_train), "no piece of the training part is predicted twice"


def test_no_row_outside_the_training_part_is_kept():
    run = run_of("data=iris", "normalize=none")
    list(run.events())
    weights = run.step.forward.weights(0)
    assert torch.equal(weights["targets"], run.task.targets[run.task.train[0]])
    assert len(weights["examples"]) == len(run.task.train[0])
