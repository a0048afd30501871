"""Several targets: with one weight alone they are the single task to the bit; gaps count nowhere."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import Program, assemble, make_program
from dlexp.config.resolve import resolve
from dlexp.data.joint.head import Head
from dlexp.engine.answer.several import Several
from dlexp.engine.event import EpochEnd

NUM = 90
SMALL = [
    *("data=csv", "tracking=none", "trainer.threads=1", "trainer.epochs=3", "trainer.batch_size=16"),
    *("model.widths=[9,7]", "data.stratify=false"),
]


def write(path: Path, *, gaps: tuple[str, ...] = ()) -> Path:
    """Write four inputs and the targets kind (3 classes), side (2 classes), size (a value)."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(NUM, 4))
    kind, side = x[:, :3].argmax(1), np.where(x[:, 0] + x[:, 1] > 0, "left", "right")
    size = 40 * x.sum(1) + 100
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["p", "q", "r", "s", "kind", "side", "size"])
        for n in range(NUM):
            told = {"kind": f"k{kind[n]}", "side": side[n], "size": size[n]}
            if n % 3 == 0:
                told |= dict.fromkeys(gaps, "")
            rows.writerow([*x[n], *told.values()])
    return path


def built(path: Path, target: str, *overrides: str) -> Program:
    drop = [name for name in ("kind", "side", "size") if name not in target]
    settings = [*SMALL, f"data.path={path}", f"data.target={target}", f"data.drop=[{','.join(drop)}]", *overrides]
    return assemble(resolve(settings).config)


def epochs(program: Program) -> list[EpochEnd]:
    return [event for event in program.run.events() if isinstance(event, EpochEnd)]


@pytest.mark.parametrize("model", ["mlp", "softmax"])
@pytest.mark.parametrize("name", ["kind", "side", "size"])
@pytest.mark.parametrize("order", ["first", "last"])
def test_with_every_other_weight_zero_it_is_the_single_task_to_the_bit(tmp_path, name, order, model):
    others = [each for each in ("size", "side", "kind") if each != name]
    names = [name, *others] if order == "first" else [*others, name]
    weights = [float(each == name) for each in names]
    settings = SMALL if model == "mlp" else [*SMALL[:-2], SMALL[-1], "model=softmax"]
    shared = [*settings, f"data.path={write(tmp_path / 't.csv', gaps=tuple(others))}"]
    single = assemble(resolve([*shared, f"data.target={name}", f"data.drop=[{','.join(others)}]"]).config)
    joint = assemble(resolve([*shared, f"data.target=[{','.join(names)}]", f"loss.weights={weights}"]).config)
    for alone, beside in zip(epochs(single), epochs(joint), strict=True):
        for key in ("train/loss", "val/loss", "val/loss_se"):
            assert beside.metrics[key] == alone.metrics[key]
        measured = [key[4:] for key in alone.metrics if key.startswith("val/") and "val/loss" not in key]
        assert [beside.metrics[f"val/{name}/{key}"] for key in measured] == [
            alone.metrics[f"val/{key}"] for key in measured
        ]
    weights_of = joint.run.step.forward.weights(0)
    for key, value in single.run.step.forward.weights(0).items():
        layer, _, kind = key.rpartition(".")
        same = key if key in weights_of else f"{layer}.heads.{names.index(name)}.{kind}"
        assert torch.equal(weights_of[same], value), key


@pytest.mark.parametrize(("engine", "precision", "rel"), [("batched", "fp32", 0.0), ("vmapped", "fp64", 1e-9)])
def test_a_stack_has_the_numbers_of_each_trial_alone(tmp_path, engine, precision, rel):
    path = write(tmp_path / "t.csv", gaps=("side", "size"))
    settings = [*SMALL[:-2], SMALL[-1], "model.widths=[16,16]", f"trainer.precision={precision}", f"data.path={path}"]
    trials = [("0.01", "[1,1,1]"), ("0.1", "[1,0.5,2]"), ("0.3", "[0,1,0]")]
    configs = [
        resolve([*settings, "data.target=[kind,side,size]", f"optimizer.lr={lr}", f"loss.weights={w}"]).config
        for lr, w in trials
    ]
    data = load_data(configs[0])
    alone = [epochs(make_program(components_of([config], [data]))) for config in configs]
    together = epochs(make_program(components_of(configs, [data] * 3), engine))
    for trial, events in enumerate(alone):
        of_trial = [event for event in together if event.trial == trial]
        for beside, by_itself in zip(of_trial, events, strict=True):
            assert beside.metrics == pytest.approx(by_itself.metrics, rel=rel, abs=rel, nan_ok=True)


HEADS = (Head("kind", "multiclass", ["a", "b", "c"]), Head("size/m", "regression", has_gaps=True))
OUTPUTS = torch.tensor([[[3.0, 0, 0, 2.0], [0, 3.0, 0, 5.0], [0, 3.0, 0, 9.0]]], dtype=torch.float64)
TARGETS = torch.tensor([[[0.0, 1.0], [1.0, math.nan], [2.0, 7.0]]], dtype=torch.float64)


def test_each_target_is_scored_over_the_examples_that_have_it():
    scores = Several(HEADS).scores(OUTPUTS, TARGETS, "softmax")
    assert float(scores["kind/accuracy"]) == 2 / 3
    assert float(scores["size_m/mse"]) == (1.0 + 4.0) / 2
    report = Several(HEADS).report(OUTPUTS, TARGETS, "softmax", 2.0, 1.0)
    assert float(report["size_m/median_error"]) == 1.5
    assert "size_m/huber" not in report
    assert {value.dim() for value in report.values()} == {1}


def test_a_target_that_no_example_has_is_left_out():
    lacking = TARGETS.clone()
    lacking[..., 1] = math.nan
    scores = Several(HEADS).scores(OUTPUTS, lacking, "softmax")
    assert "kind/accuracy" in scores
    assert not any(name.startswith("size") for name in scores)


def test_the_recorded_losses_give_back_the_loss(tmp_path):
    path = write(tmp_path / "t.csv", gaps=("size",))
    for event in epochs(built(path, "[kind,size]")):
        assert event.record is not None
        each = np.frombuffer(event.record[1], "<f4").astype(np.float64)
        assert each.mean() == pytest.approx(event.metrics["val/loss"], rel=1e-5)
