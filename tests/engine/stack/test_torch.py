"""A stack against torch modules trained with torch.optim under every rule: 50 steps in float64, 20 in float32."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from dlexp.build.node import build_per_trial
from dlexp.config.catalog import read_option
from dlexp.engine.rule.rules import Rules
from dlexp.engine.stack.kind import make_forward
from dlexp.engine.step import Step
from dlexp.engine.sums import Sums
from dlexp.engine.task import Batch
from dlexp.loss import CrossEntropy
from dlexp.regularizer import NoRegularizer
from dlexp.schedule.constant import Constant

RATES = [0.02, 0.05, 0.01]
SMALL_RATES = [0.002, 0.005, 0.001]
CPU = torch.device("cpu")
# eps: without it the adaptive rules turn the rounding of a vanishing gradient into whole steps
RULES = {
    "sgd": (torch.optim.SGD, {"weight_decay": 0.01}, {"weight_decay": 0.01, "biases": True}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}, {"momentum": 0.9}),
    "nesterov": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}, {"momentum": 0.9}),
    "adagrad": (torch.optim.Adagrad, {"eps": 1e-3}, {"eps": 1e-3}),
    "rmsprop": (torch.optim.RMSprop, {"eps": 1e-3}, {"eps": 1e-3}),
    "adam": (torch.optim.Adam, {"eps": 1e-3}, {"eps": 1e-3}),
    "adamw": (
        torch.optim.AdamW,
        {"eps": 1e-3, "weight_decay": 0.1},
        {"eps": 1e-3, "weight_decay": 0.1, "biases": True},
    ),
}


def dense() -> tuple[nn.Module, tuple[int, ...]]:
    return nn.Sequential(nn.Linear(6, 9, bias=False), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 4)), (6,)


def convolutional() -> tuple[nn.Module, tuple[int, ...]]:
    layers = [nn.Conv2d(2, 5, 3, padding=1, bias=False), nn.BatchNorm2d(5), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Conv2d(5, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), (2, 8, 8)


def make(build, trial: int, dtype: torch.dtype) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(trial)
        return build()[0].to(dtype)


def draw(shape: tuple[int, ...], steps: int, dtype: torch.dtype) -> list[tuple[Tensor, Tensor]]:
    """Return batches of each trial's own examples."""
    generator = torch.Generator().manual_seed(3)
    return [
        (
            torch.randn(len(RATES), 8, *shape, generator=generator, dtype=dtype),
            torch.randint(4, (len(RATES), 8), generator=generator),
        )
        for _ in range(steps)
    ]


@pytest.mark.parametrize(
    ("dtype", "steps", "close"),
    [
        (torch.float64, 50, {"rtol": 1e-9, "atol": 1e-9}),
        (torch.float32, 20, {"rtol": 1e-4, "atol": 1e-4}),
    ],
    ids=["float64", "float32"],
)
@pytest.mark.parametrize("build", [dense, convolutional])
@pytest.mark.parametrize("engine", ["batched", "vmapped", "graphed"])
@pytest.mark.parametrize("rule", RULES)
def test_stacks_follow_torch(rule, engine, build, dtype, steps, close):
    reference, theirs, ours = RULES[rule]
    rates = RATES if rule in ("sgd", "momentum", "nesterov") else SMALL_RATES
    nodes = [{**read_option("optimizer", rule), **ours, "lr": lr} for lr in rates]
    models = [make(build, trial, dtype) for trial in range(len(rates))]
    forward = make_forward(engine, models, device=CPU, channels_last=False)
    optimizer = build_per_trial(nodes, dtype=dtype, device=CPU)
    schedule = Constant(total_steps=steps, steps_per_epoch=10)
    step = Step(forward, Rules(CrossEntropy(num_classes=4), optimizer, schedule, NoRegularizer()), models[0])
    forward.set_training(True)
    data = draw(build()[1], steps, dtype)
    sums, lr_T1 = Sums.zero(forward.flat.tensor[:, 0]), torch.tensor(rates, dtype=dtype).unsqueeze(1)
    for number, (x, y) in enumerate(data, start=1):
        step([[Batch(None, False, x, y)]], lr_T1, number, sums)
    for trial, lr in enumerate(rates):
        module = make(build, trial, dtype)
        update = partial(reference, lr=lr, **theirs)(module.parameters())
        for x, y in data:
            update.zero_grad()
            nn.functional.cross_entropy(module(x[trial]), y[trial]).backward()
            update.step()
        torch.testing.assert_close(forward.weights(trial), dict(module.state_dict()), **close)
