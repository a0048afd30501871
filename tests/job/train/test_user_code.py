"""A user's own model, optimiser and schedule, from a folder outside this repository: trained alone and stacked."""

import json
import shlex
from itertools import product
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import assemble, make_program
from dlexp.build.structure import structure_key
from dlexp.build.summary import summary
from dlexp.config.resolve import resolve
from dlexp.config.signature import read
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.stack.kind import stack_kinds
from dlexp.execution.fusion import choose
from dlexp.job.sweep import sweep, winner
from dlexp.job.train import train
from tests.user_code import write

PARTS = ["trusted=[my_package]", "model=gated", "optimizer=sign", "schedule=root", "tracking=none", "trainer.threads=1"]


@pytest.fixture
def resolve_here(tmp_path, monkeypatch):
    """Return what resolves overrides in the user's folder."""
    monkeypatch.chdir(write(tmp_path))
    read.cache_clear()
    yield lambda *overrides: resolve([*PARTS, *overrides], Path("own"))
    read.cache_clear()


def test_a_training_follows_the_own_rules(resolve_here):
    composed = resolve_here("data.limit=60", "trainer.batch_size=60", "trainer.epochs=3")  # an update an epoch
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


def test_own_parts_stack_and_equal_each_trained_alone(resolve_here):
    made = [
        resolve_here(
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
        stacked = losses(make_program(components_of(made, datasets), kind).run)
        for row in range(2):
            assert stacked[row] == pytest.approx(alone[row], rel=1e-9)


def losses(run):
    by_trial = {}
    for event in run.events():
        if isinstance(event, EpochEnd):
            by_trial.setdefault(event.trial, []).append(event.metrics["train/loss"])
        assert not isinstance(event, TrialEnd) or event.status == "finished"
    return by_trial


def test_an_own_model_is_summarised(resolve_here):
    table = summary(resolve_here("norm=none"))
    assert [layer["name"] for layer in table["layers"]] == ["gate", "value", "output"]  # no norm, no layer
    assert table["num_params"] == 2 * (64 * 6 + 6) + 6 * 10 + 10


def test_the_planner_takes_an_own_model(resolve_here):
    configs = [resolve_here("trainer.fuse=2", f"seed={seed}").config for seed in range(2)]
    fusion = choose(components_of(configs, [load_data(configs[0])] * 2))
    assert fusion.size == 2


def test_a_sweep_goes_on_when_the_users_folder_is_gone(resolve_here):
    """The printed winner names the folder; resuming and training the winner use the files kept with the sweep."""
    overrides = [*PARTS, "optimizer.lr=0.1,0.2", "data.limit=30", "trainer.epochs=1"]
    findings = sweep.start(overrides, Path("own"), announce=lambda about: SilentListener(), has_figures=False)
    words = shlex.split(findings.command)
    assert words[:4] == ["dlexp", "train", "--config-dir", "own"]
    assert resolve(words[4:], Path("own")).config["model"]["_target_"] == "my_package.Gated"
    Path("own").rename("gone")
    run_id = findings.outcome.result["run_id"]
    recipe = winner.recipe(run_id, Path("runs"), [])
    assert resolve(recipe.overrides, recipe.config_dir).config["model"]["_target_"] == "my_package.Gated"
    again = sweep.resume(run_id, Path("runs"), None, announce=lambda about: SilentListener(), has_figures=False)
    first, second = (outcome.result["best"] for outcome in (findings.outcome, again.outcome))
    assert first is not None
    assert second is not None
    assert (second["run_id"], second["value"]) == (first["run_id"], first["value"])


class SilentListener:
    def listen(self, event):
        """Take an event of the sweep."""

    def close(self):
        """Take the end of events."""
