"""Several targets: with one weight alone they are the single task to the bit; gaps count nowhere."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from dlexp.build.program import Program, assemble
from dlexp.config.resolve import resolve
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
