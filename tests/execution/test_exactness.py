"""Forms of a program that give the same bits are told from those that do not."""

import json
from pathlib import Path

import pytest
import torch

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.engine.forward import Solo
from dlexp.execution import exactness
from dlexp.execution.exactness import are_equal, equal_forms, trace
from dlexp.job.cv import cv
from dlexp.kernel.batch_norm import normalise_stack

COMMON = ["tracking=none", "trainer.threads=1", "data.limit=100"]
CONV = ["model=cnn", "model.channels=[4,4]"]


def made(*overrides: str):
    configs = [resolve([*COMMON, *overrides, f"seed={seed}"]).config for seed in range(2)]
    return components_of(configs, [load_data(configs[0])] * 2)


@pytest.mark.parametrize("augment", ["none", "flip_crop", "cutout"])
def test_a_stack_of_convolution_nets_calls_the_kernels_of_each_alone(augment):
    exact, row_equal = equal_forms(made(*CONV, f"augment={augment}"), ["batched", "vmapped"])
    assert exact == ["batched"]
    assert "batched" not in row_equal


@pytest.mark.parametrize("more", [["model.widths=[16]"], ["model.widths=[100,33]"], ["norm=layer", "activation=gelu"]])
def test_a_stack_of_dense_nets_has_the_bits_of_each_alone(more):
    assert equal_forms(made(*more), ["batched"]) == (["batched"], [])


def test_a_form_of_its_own_rounding_equals_its_stack_of_one(monkeypatch):
    monkeypatch.setattr("dlexp.engine.stack.batched.normalise_stack", _one_ulp_more)
    assert equal_forms(made("model.widths=[16]"), ["batched"]) == ([], ["batched"])


def _one_ulp_more(*arguments):
    return normalise_stack(*arguments) * (1 + 2**-23)


def test_a_last_digit_shows():
    a = trace(made("model.widths=[16]", "trainer.precision=fp64"), "batched")
    b = [[tensor.clone() for tensor in row] for row in a]
    assert are_equal(a, b)
    weights = next(tensor for tensor in b[1] if tensor.dtype == torch.float64).view(-1)
    weights[0] = torch.nextafter(weights[0], torch.tensor(torch.inf, dtype=torch.float64))
    assert not are_equal(a, b)


@pytest.fixture
def batches(monkeypatch):
    """Return the sizes of the batches that models alone are given, which is added to."""
    sizes = []

    class Watched(Solo):
        def __call__(self, x, **keywords):
            sizes.append(len(x))
            return super().__call__(x, **keywords)

    monkeypatch.setattr("dlexp.engine.stack.kind.Solo", Watched)
    return sizes


def test_both_ends_of_an_epoch_are_tried(batches):
    """100 examples make batches of 32, 32, 32 and 4: the last is another product. With prelu modules are called."""
    trace(made("model.widths=[16]", "activation=prelu")[:1], "solo")
    assert batches[:4] == [32, 32, 32, 4]


def test_predictions_are_tried_on_a_whole_batch_and_on_the_last(batches):
    """359 examples make batches of 100, 100, 100 and 59: the last is another product, and lies otherwise in memory."""
    trace(made("model.widths=[16]", "activation=prelu", "trainer.eval_batch_size=100")[:1], "solo")
    assert batches[4:] == [100, 59]


def test_a_form_that_fails_is_in_neither_list(monkeypatch):
    make_program = exactness.make_program

    def scarce(components, engine):
        if engine == "vmapped":
            raise torch.OutOfMemoryError("no memory")
        return make_program(components, engine)

    monkeypatch.setattr(exactness, "make_program", scarce)
    assert equal_forms(made(*CONV), ["vmapped", "batched"]) == (["batched"], [])


@pytest.mark.parametrize("channels", ["[4,4]", "[8,8]"])
def test_the_form_of_training_changes_no_bit_of_augmented_folds(tmp_path, channels):
    """The folds train on 162 or 163 of 203 examples: last batches of two or three, in dense layers as in others."""
    conv = ["model=cnn", f"model.channels={channels}", "augment=flip_crop", "augment.padding=1"]
    shared = ["tracking=none", "trainer.threads=1", "data.limit=203", "trainer.epochs=2", "cv.k=5", *conv]
    weights, scores = [], []
    for fuse in ("off", "5", "auto"):
        arguments = [*shared, f"trainer.fuse={fuse}", f"runs_dir={tmp_path / fuse}"]
        result = cv.start(arguments, announce=lambda _: lambda _: None, has_figures=False).result
        scores.append([result[key] for key in ("mean", "std", "out_of_fold")])
        folds = sorted(Path(result["run_dir"]).glob("folds/*"), key=lambda path: path.name.partition("-")[2])
        weights.append([(fold / "checkpoints/last/weights.safetensors").read_bytes() for fold in folds])
    assert scores == scores[:1] * 3
    assert weights == weights[:1] * 3
    assert len(weights[0]) == 5
    (chosen,) = json.loads((Path(result["run_dir"]) / "engines.json").read_text()).values()
    assert chosen["is_exact"]
