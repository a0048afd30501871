"""Exact statistics of batch norm: by the formula in every form, under averaged weights, after a resume."""

import copy

import pytest
import torch
from torch import Tensor, nn

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine.evaluate import gather_statistics
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import best_weights, restore, snapshot
from dlexp.engine.task import epoch_batches
from dlexp.engine.train import Run
from dlexp.norm import BatchNorm

MLP = ("model.widths=[12,8]", "dropout=inverted")
CNN = ("model=cnn", "model.channels=[4,6]", "augment=flip_crop", "augment.padding=1")
FORMS = [(MLP, kind) for kind in ("solo", "batched", "vmapped", "graphed")]
FORMS += [(CNN, kind) for kind in ("solo", "batched", "vmapped", "graphed")]


def config_of(*overrides: str, seed: int = 0) -> dict:
    shared = ["tracking=none", "trainer.threads=1", "trainer.device=cpu"]
    typed = {text.partition("=")[0] for text in overrides}
    shared += [text for text in ("data.limit=70", "norm.statistics=exact") if text.partition("=")[0] not in typed]
    return resolve([*shared, "trainer.epochs=2", "trainer.precision=fp64", f"seed={seed}", *overrides]).config


def program(kind: str, *overrides: str, is_unequal: bool = False) -> tuple[Run, nn.Module]:
    configs = [config_of(*overrides, seed=seed) for seed in range(1 if kind == "solo" else 3)]
    whole = load_data(configs[0])
    datasets = [
        whole.with_parts(whole.train[: len(whole.train) - i], whole.val) if is_unequal else whole
        for i in range(len(configs))
    ]
    made = make_program(components_of(configs, datasets), kind)
    return made.run, copy.deepcopy(made.model)


def inputs_of(run: Run, row: int, epoch: int) -> list[Tensor]:
    """Return a trial's batches of an epoch, normalised, not augmented."""
    batches = []
    for parts in epoch_batches(run.task, run.trainer, run.seeds, epoch):
        for part in parts:
            if part.rows is None or row in part.rows:
                place = row if part.rows is None else part.rows.index(row)
                numbers = part.x if part.is_shared else part.x[place]
                ((raw, _),) = run.task.feed.batches([numbers])
                batches.append(run.task.prepare(raw.unsqueeze(0), [row])[0])
    return batches


def by_formula(model: nn.Module, weights: dict[str, Tensor], batches: list[Tensor]) -> dict[str, Tensor]:
    """Return mean and unbiased variance of every norm's inputs, each batch normalised by itself on its way."""
    model.load_state_dict(weights)
    model.eval()
    seen: dict[str, list[Tensor]] = {}

    def take(name: str):
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor) -> Tensor:
            (x,) = inputs
            assert isinstance(module, BatchNorm)
            axes, shape = [0, *range(2, x.dim())], [1, -1, *[1] * (x.dim() - 2)]
            seen.setdefault(name, []).append(x.movedim(1, -1).reshape(-1, x.shape[1]))
            mean, var = x.mean(axes, keepdim=True), x.var(axes, correction=0, keepdim=True)
            return (x - mean) / (var + module.eps).sqrt() * module.weight.view(shape) + module.bias.view(shape)

        return hook

    hooks = [
        module.register_forward_hook(take(name))
        for name, module in model.named_modules()
        if isinstance(module, BatchNorm)
    ]
    with torch.no_grad():
        for batch in batches:
            model(batch)
    for hook in hooks:
        hook.remove()
    values = {name: torch.cat(parts) for name, parts in seen.items()}
    return {f"{name}.running_mean": x.mean(0) for name, x in values.items()} | {
        f"{name}.running_var": x.var(0) for name, x in values.items()
    }


@pytest.mark.parametrize("is_unequal", [False, True], ids=["equal parts", "unequal parts"])
@pytest.mark.parametrize(("overrides", "kind"), FORMS, ids=lambda value: value if isinstance(value, str) else value[0])
def test_every_form_gathers_what_the_formula_says(overrides, kind, is_unequal):
    run, model = program(kind, *overrides, is_unequal=is_unequal)
    gather_statistics(run.step.forward, run.task, run.trainer, run.seeds, 1)
    for row in range(len(run.trials)):
        weights = run.step.forward.weights(row)
        expected = by_formula(model, weights, inputs_of(run, row, 1))
        assert len(expected) == 4
        for name, value in expected.items():
            torch.testing.assert_close(weights[name], value, rtol=1e-10, atol=1e-12)


def finish(run: Run) -> list[EpochEnd]:
    return [event for event in run.events() if isinstance(event, EpochEnd)]


@pytest.mark.parametrize("more", [(), ("trainer.ema=0.9",)], ids=["trained", "averaged"])
def test_the_weights_that_are_evaluated_have_the_statistics_of_the_last_epoch(more):
    run, model = program("solo", *MLP, *more)
    finish(run)
    run.trials = [0]
    weights = best_weights(run)
    for name, value in by_formula(model, weights, inputs_of(run, 0, 1)).items():
        torch.testing.assert_close(weights[name], value, rtol=1e-10, atol=1e-12)


def test_without_a_validation_part_they_are_gathered_too():
    config = config_of(*MLP, "train_on=train+val", "trainer.monitor=train/loss")
    run = make_program(components_of([config], [load_data(config)]), "solo").run
    finish(run)
    assert int(run.step.forward.weights(0)["hidden.0.norm.num_values"]) == len(run.task.train[0])


@pytest.mark.parametrize("kind", ["solo", "batched", "vmapped", "graphed"])
def test_other_statistics_are_left_and_are_what_is_evaluated_by(kind):
    run, model = program(kind, *MLP, "norm.statistics=moving")
    run.should_stop = lambda: run.number >= run.steps_per_epoch
    list(run.events())
    before = run.step.forward.weights(0)
    gather_statistics(run.step.forward, run.task, run.trainer, run.seeds, 1)
    assert all(torch.equal(value, before[name]) for name, value in run.step.forward.weights(0).items())
    model.load_state_dict(before)
    run.step.forward.set_training(False)
    (batch, *_) = inputs_of(run, 0, 1)
    outputs = run.step.forward(batch)
    assert isinstance(outputs, Tensor)
    torch.testing.assert_close(outputs[0], model.eval()(batch), rtol=1e-10, atol=1e-10)


DEEP = ("model.widths=[8,8,8,8,8]",)


@pytest.mark.parametrize("kind", ["solo", "batched", "vmapped", "graphed"])
def test_auto_gathers_in_a_net_of_five_norms_as_exact_does(kind):
    run, model = program(kind, *DEEP, "norm.statistics=auto")
    gather_statistics(run.step.forward, run.task, run.trainer, run.seeds, 1)
    for row in range(len(run.trials)):
        weights = run.step.forward.weights(row)
        assert not [name for name in weights if name.endswith("num_values")]  # as checkpoints of moving ones
        for name, value in by_formula(model, weights, inputs_of(run, row, 1)).items():
            torch.testing.assert_close(weights[name], value, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "overrides",
    [("model.widths=[8,8,8,8]",), (*DEEP, "data.limit=200", "trainer.batch_size=2")],
    ids=["four norms", "100 updates an epoch"],
)
def test_auto_is_moving_elsewhere(overrides):
    weights = []
    for statistics in ("auto", "moving"):
        run, _ = program("solo", *overrides, f"norm.statistics={statistics}")
        run.should_stop = lambda run=run: run.number >= 3
        list(run.events())
        gather_statistics(run.step.forward, run.task, run.trainer, run.seeds, 1)
        weights.append(run.step.forward.weights(0))
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_a_training_part_in_one_batch_is_evaluated_as_it_is_trained():
    run, model = program("solo", "model.widths=[12,8]", "trainer.batch_size=70", "norm.variance=biased")
    finish(run)
    (batch,) = inputs_of(run, 0, 1)
    model.load_state_dict(run.step.forward.weights(0))
    torch.testing.assert_close(model.eval()(batch), model.train()(batch), rtol=1e-9, atol=1e-9)


def test_a_resumed_run_ends_with_the_same_bits():
    whole, _ = program("solo", *MLP, "trainer.ema=0.9")
    epochs = finish(whole)
    first, _ = program("solo", *MLP, "trainer.ema=0.9")
    first.should_stop = lambda: first.number >= first.steps_per_epoch + 1
    assert any(isinstance(event, TrialEnd) and event.status == "interrupted" for event in first.events())
    again, _ = program("solo", *MLP, "trainer.ema=0.9")
    restore(again, *snapshot(first))
    (last,) = finish(again)
    assert last.metrics == epochs[-1].metrics
    for name, value in best_weights(whole).items():
        assert torch.equal(best_weights(again)[name], value), name
