"""A user's own model, optimiser and schedule, from a folder outside this repository: trained alone and stacked."""

import json
import sys
from itertools import product
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dlexp.build.dataset import load_data
from dlexp.build.program import assemble, assemble_group
from dlexp.build.structure import structure_key
from dlexp.build.summary import summary
from dlexp.config.resolve import resolve
from dlexp.config.signature import read
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.stack.kind import stack_kinds
from dlexp.execution.fusion import choose
from dlexp.job.train import train

SOURCE = '''
import torch
from dlexp.type import PerTrial, Positive


class Gated(torch.nn.Module):
    """Layers, and a line of plain torch code between them."""

    def __init__(self, width: int = 6, *, in_shape: tuple[int, ...], num_outputs: int, norm) -> None:
        super().__init__()
        size = torch.Size(in_shape).numel()
        self.gate, self.value = torch.nn.Linear(size, width), torch.nn.Linear(size, width)
        self.norm, self.output = norm(num_features=width), torch.nn.Linear(width, num_outputs)

    def forward(self, x):
        x = x.flatten(1)
        return self.output(self.norm(self.gate(x).sigmoid() * self.value(x)))


class SignDescent:
    """Steps of equal length."""

    def __init__(self, lr: PerTrial[Positive] = 0.001) -> None:
        self.lr = lr

    def init(self, params_TP):
        return {}

    def update(self, params_TP, grads_TP, state, lr_T1, step, decay_P):
        params_TP.sub_(lr_T1 * grads_TP.sign())


class InverseRoot:
    """A rate that falls with the root of the steps."""

    def __init__(self, scale: float = 100.0, *, total_steps: int) -> None:
        self.scale = scale

    def factor(self, step_S):
        return (1 + step_S / self.scale) ** -0.5
'''
OWN = ["trusted=[my_parts]", "model=gated", "optimizer=sign", "schedule=root", "tracking=none", "trainer.threads=1"]


@pytest.fixture
def compose_own(tmp_path, monkeypatch):
    """Return what resolves overrides in the user's folder."""
    (tmp_path / "my_parts.py").write_text(SOURCE)
    for group, name, target in [
        ("model", "gated", "Gated\nwidth: 6"),
        ("optimizer", "sign", "SignDescent\nlr: 0.001"),
        ("schedule", "root", "InverseRoot\nscale: 3.0"),
    ]:
        (tmp_path / "own" / group).mkdir(parents=True)
        (tmp_path / "own" / group / f"{name}.yaml").write_text(f"_target_: my_parts.{target}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    read.cache_clear()
    yield lambda *overrides: resolve([*OWN, *overrides], Path("own"))
    sys.modules.pop("my_parts", None)
    read.cache_clear()


def test_a_training_follows_the_own_rules(compose_own):
    composed = compose_own("data.limit=60", "trainer.batch_size=60", "trainer.epochs=3")  # an update an epoch
    before = {name: value.clone() for name, value in assemble(composed.config).model.named_parameters()}
    outcome = train.start(composed, announce=lambda about: lambda event: None)
    folder = Path(outcome.result["run_dir"])
    rates = [json.loads(line)["lr"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    expected = [0.001 * (1 + step / 3) ** -0.5 for step in range(3)]
    assert rates == pytest.approx(expected)
    after = load_file(folder / "checkpoints" / "last" / "weights.safetensors")
    moved = torch.cat([(after[name] - value).flatten() for name, value in before.items()])
    sums = torch.tensor([sum(pair) for pair in product(*((-rate, rate) for rate in expected))])
    moved = moved[moved != 0]  # the weight of a pixel that is always black never moves
    assert len(moved) > 0.8 * sum(value.numel() for value in before.values())
    assert (moved[:, None] - sums).abs().amin(1).max() < 1e-6


def test_own_parts_stack_and_equal_each_trained_alone(compose_own):
    made = [
        compose_own(
            "trainer.precision=fp64", "trainer.epochs=2", "data.limit=100", f"optimizer.lr={lr}", f"seed={seed}"
        ).config
        for seed, lr in enumerate([0.001, 0.01])
    ]
    datasets = [load_data(made[0])] * 2
    assert structure_key(made[0], datasets[0]) == structure_key(made[1], datasets[1])
    kinds, reasons = stack_kinds(assemble(made[0]).model, datasets[0].in_shape)
    assert kinds == ["batched", "vmapped"], reasons
    alone = [losses(assemble(config, datasets[0]).run)[0] for config in made]
    assert alone[0] != alone[1]
    for kind in kinds:
        stacked = losses(assemble_group(made, datasets, kind).run)
        for row in range(2):
            assert stacked[row] == pytest.approx(alone[row], rel=1e-9)


def losses(run):
    by_trial = {}
    for event in run.events():
        if isinstance(event, EpochEnd):
            by_trial.setdefault(event.trial, []).append(event.metrics["train/loss"])
        assert not isinstance(event, TrialEnd) or event.status == "finished"
    return by_trial


def test_an_own_model_is_summarised(compose_own):
    document = summary(compose_own("norm=none"))
    assert [layer["name"] for layer in document["layers"]] == ["gate", "value", "output"]  # no norm, no layer
    assert document["num_params"] == 2 * (64 * 6 + 6) + 6 * 10 + 10


def test_the_planner_takes_an_own_model(compose_own):
    configs = [compose_own("trainer.fuse=2", f"seed={seed}").config for seed in range(2)]
    choice = choose(configs, [load_data(configs[0])] * 2)
    assert choice.size == 2
