"""On a GPU: every form of stack against trials alone, graphs through shrinking and odd batches, predicted memory."""

import pytest
import torch

from benchmarks.case import Case
from benchmarks.equality import configure, divide, largest, train
from dlexp.build.components import components_of
from dlexp.build.program import make_program
from dlexp.engine.memory import largest_stack, peak_bytes

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
MLP, CNN = {"model.widths": "[16,12]"}, {"model": "cnn", "model.channels": "[4,6]"}
RATES = ("0.02", "0.000000000001", "0.05")


def on_cuda(case: Case, precision: str) -> list[dict]:
    configs = configure(case, precision)
    for config in configs:
        config["trainer"]["device"] = "cuda"
    return configs


def three(overrides: dict[str, str]) -> Case:
    return Case("three", overrides, [{"optimizer.lr": rate, "seed": str(i)} for i, rate in enumerate(RATES)])


@pytest.mark.parametrize("engine", ["batched", "vmapped", "graphed"])
@pytest.mark.parametrize(
    "overrides",
    [
        MLP,
        CNN,
        {**CNN, "dropout": "inverted", "optimizer": "adam", "optimizer.eps": "0.001"},
        {**CNN, "norm": "layer", "augment": "flip_crop", "augment.padding": "1"},
        {**CNN, "trainer.patience": "1", "trainer.epochs": "5"},  # the second trial leaves
        {**MLP, "trainer.accumulate": "2", "trainer.grad_clip": "1"},
    ],
    ids=str,
)
def test_stacks_equal_each_trial_alone(engine, overrides):
    case = three(overrides)
    configs = on_cuda(case, "fp64")
    data = divide(case, configs)
    alone = [train([config], data[:1], "solo")[0] for config in configs]
    differences = largest(train(configs, data, engine), alone)
    assert max(differences.values()) < 1e-9, differences


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
@pytest.mark.parametrize("engine", ["batched", "vmapped", "graphed"])
def test_mixed_precision_is_as_near_to_float32_as_it_is_alone(engine, precision):
    """A stack rounds in another order, which training amplifies as it does all rounding of that precision."""
    case = three({**CNN, "trainer.epochs": "1"})
    configs, exact = on_cuda(case, precision), on_cuda(case, "fp32")
    data = divide(case, configs)
    alone, reference = ([train([config], data[:1], "solo")[0] for config in each] for each in (configs, exact))
    rounding = largest(alone, reference)["weights"]
    assert largest(train(configs, data, engine), reference)["weights"] < 2 * rounding


@pytest.mark.parametrize("engine", ["batched", "vmapped"])
def test_memory_of_a_large_stack_is_predicted_from_two_small_ones(engine):
    def taken(trials: int) -> int:
        case = Case(
            "many", {**CNN, "data.limit": "64", "trainer.batch_size": "64"}, [{"seed": str(i)} for i in range(trials)]
        )
        configs = on_cuda(case, "fp32")
        built = make_program(components_of(configs, divide(case, configs)), engine)
        return peak_bytes(built.run.one_update(), built.device)

    small, large, many = taken(4), taken(8), taken(64)
    per_trial = (large - small) / 4
    predicted = small + per_trial * 60
    assert abs(predicted - many) < 0.15 * many
    assert largest_stack((4, small), (8, large), int(many / 0.85)) == pytest.approx(64, rel=0.15)
