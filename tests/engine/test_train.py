"""The loop: its events, its order of examples, how it stops, and that it goes on exactly where it stopped."""

import copy
from dataclasses import replace

import pytest
import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import best_weights, restore, snapshot
from dlexp.engine.task import epoch_batches, num_steps, usable
from dlexp.engine.train import Run
from dlexp.engine.trainer import Trainer

SMALL = {"data.limit": "150", "trainer.epochs": "3", "tracking": "none", "trainer.threads": "1"}


def make(*overrides: str) -> Run:
    chosen = SMALL | dict(override.split("=", 1) for override in overrides)
    return assemble(resolve([f"{key}={value}" for key, value in chosen.items()]).config).run


def finish(run: Run) -> tuple[list[EpochEnd], TrialEnd]:
    events = list(run.events())
    assert isinstance(events[-1], TrialEnd)
    return [event for event in events if isinstance(event, EpochEnd)], events[-1]


def without_time(events: list[EpochEnd]) -> list[EpochEnd]:
    return [replace(event, seconds=0.0) for event in events]


def test_epochs_then_the_end():
    epochs, end = finish(make())
    assert [event.epoch for event in epochs] == [1, 2, 3]
    assert [event.step for event in epochs] == [5, 10, 15]
    assert (end.status, end.best_epoch) == (
        "finished",
        max(epochs, key=lambda e: (e.metrics["val/accuracy"], -e.epoch)).epoch,
    )
    assert epochs[-1].metrics["train/loss"] < epochs[0].metrics["train/loss"]
    assert {"train/loss", "train/accuracy", "val/loss", "val/accuracy", "val/f1_macro"} <= set(epochs[0].metrics)


def test_same_seed_same_numbers_and_another_seed_others():
    a, b, c = (finish(make(f"seed={seed}"))[0] for seed in (1, 1, 2))
    assert without_time(a) == without_time(b)
    assert without_time(a) != without_time(c)


@pytest.mark.parametrize(("stream", "extra"), [("init", ()), ("order", ()), ("dropout", ("dropout=inverted",))])
def test_each_stream_has_its_own_seed(stream, extra):
    plain, other = (finish(make(*extra, *more))[0] for more in ((), (f"seeds.{stream}=5",)))
    assert without_time(plain) != without_time(other)


def test_every_epoch_visits_every_example_once_in_another_order():
    run = make()
    first, second = (
        torch.cat([part.x for parts in epoch_batches(run.task, run.trainer, run.seeds, epoch) for part in parts])
        for epoch in (0, 1)
    )
    assert torch.equal(first.sort().values, run.task.train[0].sort().values)
    assert torch.equal(first.sort().values, second.sort().values)
    assert not torch.equal(first, second)


def test_global_random_state_is_left_alone():
    before = torch.random.get_rng_state()
    finish(make("dropout=inverted"))
    assert torch.equal(before, torch.random.get_rng_state())


EXACT = [
    ["optimizer=momentum", "schedule=cosine", "schedule.warmup=0.5"],
    ["optimizer=adam", "dropout=inverted", "trainer.ema=0.9", "trainer.accumulate=2"],
    ["optimizer=adam", "schedule=plateau", "trainer.patience=50", "regularizer=l2"],
    ["model=cnn", "trainer.precision=bf16", "trainer.grad_clip=1.0"],
]


@pytest.mark.parametrize("overrides", EXACT, ids=lambda o: o[0] + "+" + o[1])
@pytest.mark.parametrize("stop_at", [2, 5, 7])
def test_interrupted_anywhere_and_taken_up_gives_the_same_bits(overrides, stop_at):
    whole = make(*overrides)
    expected, _ = finish(whole)
    first = make(*overrides)
    first.should_stop = lambda: first.number >= stop_at
    before, end = finish(first)
    assert end.status == "interrupted"
    saved = copy.deepcopy(snapshot(first))
    second = make(*overrides)
    restore(second, *saved)
    after, _ = finish(second)
    assert without_time(before + after) == without_time(expected)
    for a, b in zip(snapshot(whole)[0].values(), snapshot(second)[0].values(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(whole.step.forward.flat.tensor, second.step.forward.flat.tensor)


def test_augmented_run_resumes_exactly():
    overrides = ["augment=flip_crop", "model=cnn"]
    expected, _ = finish(make(*overrides))
    first = make(*overrides)
    first.should_stop = lambda: first.number >= 4
    before, _ = finish(first)
    second = make(*overrides)
    restore(second, *copy.deepcopy(snapshot(first)))
    assert without_time(before + finish(second)[0]) == without_time(expected)


def test_loss_that_is_not_finite_ends_the_run_before_the_epoch_counts():
    run = make("optimizer.lr=1e30", "norm=none", "trainer.epochs=5")
    epochs, end = finish(run)
    assert end.status == "diverged"
    assert "not finite" in end.reason
    assert run.epoch == len(epochs) < 5


def test_early_stopping_says_why():
    epochs, end = finish(
        make("trainer.patience=2", "trainer.epochs=200", "optimizer.lr=1e-9", "trainer.monitor=val/accuracy")
    )
    assert end.status == "stopped_early"
    assert len(epochs) == end.best_epoch + 2
    assert "val/accuracy" in end.reason


def test_time_limit_counts_earlier_processes():
    run = make("trainer.max_seconds=1000")
    run.elapsed = 1000.0
    _, end = finish(run)
    assert (end.status, run.epoch) == ("stopped_early", 0)
    assert "max_seconds" in end.reason


def test_average_of_weights_is_what_is_evaluated_and_kept_as_best():
    run = make("trainer.ema=0.5")
    epochs, _ = finish(run)
    best = best_weights(run)
    assert not torch.equal(best["output.weight"], run.step.forward.weights(0)["output.weight"])
    plain = make()
    restore(plain, best, {**snapshot(run)[1], "step": {}})
    assert plain.evaluate()["loss"][0] == epochs[-1].metrics["val/loss"]


@pytest.mark.parametrize(
    ("num_train", "batch_size", "accumulate", "steps"),
    [(100, 32, 1, 4), (97, 32, 1, 3), (96, 32, 1, 3), (1, 32, 1, 1), (100, 32, 2, 2), (97, 32, 2, 2)],
)
def test_steps_of_an_epoch_leave_out_a_last_batch_of_one(num_train, batch_size, accumulate, steps):
    trainer = Trainer(batch_size=batch_size, accumulate=accumulate)
    assert num_steps(num_train, trainer) == steps
    batches = usable(list(torch.arange(num_train).split(batch_size)))
    assert -(-len(batches) // accumulate) == steps


def test_accumulated_batches_and_updates_draw_dropout_of_their_own(monkeypatch):
    run = make("dropout=inverted", "trainer.accumulate=2", "trainer.epochs=2")
    draws, seed = [], run.step.forward.seed_dropout
    monkeypatch.setattr(run.step.forward, "seed_dropout", lambda seeds, draw: (draws.append(draw), seed(seeds, draw)))
    finish(run)
    assert len(draws) == 2 * 5  # 150 examples in batches of 32
    assert len(set(draws)) == len(draws)
