"""A trial's numbers do not depend on its company: every block, fused and alone, over ten updates."""

from dataclasses import replace

import pytest
import torch

from benchmarks.case import ADAPTIVE, EXTRA, MODELS, PAIRS, RULES, SMALL, VALUES, Case, blocks, models, values
from benchmarks.equality import LIMIT, apart, configure, divide, engines, train
from dlexp.build.components import components_of
from dlexp.build.program import make_program
from dlexp.config.catalog import list_groups
from dlexp.engine.event import TrialEnd
from dlexp.engine.snapshot import snapshot
from dlexp.engine.train import Run
from dlexp.type import RECONSTRUCT

MLP = {"model.widths": "[16,12]"}
CNN = {"model": "cnn", "model.channels": "[4,6]", "norm": "none"}  # without running statistics nothing ever changes


def name_of(case: Case) -> str:
    return case.name


def seven(overrides: dict[str, str], trials: int = 7) -> Case:
    """Return trials that differ in seed and learning rate."""
    base = ADAPTIVE.get(overrides.get("optimizer", ""), {})
    trials_of_seven = [{"seed": str(i), "optimizer.lr": str(0.01 * (i % 3 + 1))} for i in range(trials)]
    return Case("seven", {**({} if "model" in overrides else MLP), **base, **overrides}, trials_of_seven)


def check(case: Case, kinds: list[str]) -> None:
    for engine in kinds:
        differences = apart(case, engine, "fp64")
        assert max(differences.values()) < LIMIT, (engine, differences)


def test_the_tables_are_complete():
    groups = list_groups()
    elsewhere = {"torchvision", "knn", "majority"}  # have tests of their own; the last two are fitted one by one
    assert set(MODELS) | elsewhere == set(groups["model"])
    assert {*RULES, "momentum"} == set(groups["optimizer"])
    assert {case.name for case in blocks()} >= {f"loss={name}" for name in groups["loss"]}
    assert {key for _, key, _ in VALUES} >= {"optimizer.betas", "loss.class_weight", "trainer.grad_clip", "init"}


@pytest.mark.parametrize("case", list(models(("mlp",))) + list(models(SMALL, ("adam",))), ids=name_of)
def test_small_models_under_every_rule(case):
    check(case, engines(case))


@pytest.mark.slow
@pytest.mark.parametrize("case", list(models()), ids=name_of)
def test_every_model_under_every_rule(case):
    check(case, engines(case))


@pytest.mark.parametrize("case", list(blocks()), ids=name_of)
def test_every_block(case):
    check(case, engines(case))


@pytest.mark.parametrize("case", list(values()), ids=name_of)
def test_every_value_that_may_differ_between_trials(case):
    check(case, ["batched"])


@pytest.mark.slow
@pytest.mark.parametrize("case", list(values()), ids=name_of)
def test_every_value_mapped(case):
    check(case, ["vmapped"])


@pytest.mark.parametrize(
    "case", [*models(("mlp", "cnn"), ("nesterov",)), *models(("resnet",), ("adamw",))], ids=name_of
)
@pytest.mark.parametrize("engine", ["batched", "vmapped"])
def test_in_single_precision_the_validation_agrees(case, engine):
    differences = apart(case, engine, "fp32")
    assert differences["metrics"] < 1e-5
    assert differences["weights"] < 1e-4


ROWS = [{"model": "mlp", **MLP, f"{group}": option} for group in ("activation", "norm", "dropout")
        for option in list_groups()[group] if option != "instance"]  # fmt: skip
ROWS += [
    *[{"model": "cnn", "model.channels": "[4,6]", "norm": norm} for norm in list_groups()["norm"]],
    {"model": "resnet", "model.depth": "8"},
    *[
        {"model": model, **widths, "norm.statistics": statistics, "norm.variance": variance}
        for model, widths in (("mlp", MLP), ("cnn", {"model.channels": "[4,6]"}))
        for statistics, variance in (("moving", "biased"), ("cumulative", "unbiased"), ("exact", "biased"))
    ],
    {"model.widths": "[32,100,7]"},
    {"norm.statistics": "exact", "trainer.ema": "0.9", "dropout": "inverted", "trainer.accumulate": "2"},
    {"data": "breast_cancer"},
    {"data": "diabetes", "trainer.accumulate": "2"},
    {"task": "reconstruct", "model.code": "3"},
    {"task": "reconstruct", "data": "diabetes", "dropout": "inverted", "model.input_dropout": "0.2"},
    {"task": "reconstruct", "model": "cnn", "model.channels": "[4,6]", "model.code": "3", "trainer.accumulate": "2"},
    {"dropout": "inverted", "trainer.accumulate": "2"},
    {"dropout": "inverted", "model.input_dropout": "0.2", "model.output_shortcut": "true"},
    {"loss": "cross_entropy", "loss.lse_penalty": "0.01"},
    {"optimizer": "adam", "optimizer.form": "rootless"},
    {"init": "xavier_normal", "init.gain": "activation"},
    {"optimizer": "adam", "seeds.order": "1"},
    PAIRS,
    {**PAIRS, "loss": "contrastive", "model": "cnn", "model.channels": "[4,6]"},
]
FROZEN = [
    {"freeze.all_but": "[output]", "model.widths": "[16,16]"},
    {"freeze": "[hidden.1]", "model.widths": "[16,16]", "optimizer": "adam"},
    {"freeze": "[hidden.0]", "freeze.norm": "false", "dropout": "inverted", "optimizer": "adam"},
    {"freeze": "[hidden.1]", "norm.statistics": "exact", "regularizer": "linf", "trainer.ema": "0.9"},
    {"freeze": "[hidden.0]", "freeze.until": "1", "optimizer": "adam", "trainer.ema": "0.9", "trainer.accumulate": "2"},
    {"freeze.all_but": "[output]", "freeze.until": "1", "optimizer": "momentum", "regularizer": "max_norm"},
    {"model": "cnn", "model.channels": "[4,6]", "freeze": "[stages.0]"},
    {"model": "cnn", "model.channels": "[4,6]", "freeze.all_but": "[output]", "freeze.until": "1"},
]
ROWS += FROZEN


@pytest.mark.parametrize("overrides", ROWS, ids=lambda overrides: " ".join(f"{k}={v}" for k, v in overrides.items()))
def test_a_row_of_seven_equals_the_stack_of_one_and_the_module_to_the_bit(overrides):
    if overrides.get("norm") == "group":
        overrides = {**overrides, "norm.num_groups": "2"}
    case = seven(overrides)
    configs = configure(case, "fp32")
    data = divide(case, configs)
    together = train(configs, data, "batched")
    for row in (0, 3, 6):
        (alone,) = train(configs[row : row + 1], data[:1], "batched")
        check_bits(together[row], alone)
        check_bits(together[row], train(configs[row : row + 1], data[:1], "solo")[0])


@pytest.mark.parametrize("overrides", FROZEN, ids=lambda overrides: " ".join(f"{k}={v}" for k, v in overrides.items()))
def test_frozen_layers_in_every_form(overrides):
    case = seven(overrides, trials=2)
    check(case, engines(case))


def check_bits(a, b) -> None:
    (weights_a, state_a), (weights_b, state_b) = a[0], b[0]
    assert a[1] == b[1]
    for tensors_a, other in ((weights_a, weights_b), (state_a["step"], state_b["step"])):
        assert tensors_a.keys() == other.keys()
        for name, value in tensors_a.items():
            assert torch.equal(value, other[name]), name


@pytest.mark.parametrize(
    ("augment", "task"),
    [
        *((augment, "auto") for augment in list_groups()["augment"]),
        *(("flip_crop", RECONSTRUCT), ("noise", RECONSTRUCT)),
    ],
)
def test_augmented_folds_of_unequal_parts_equal_each_alone_to_the_bit(augment, task):
    extra = {**EXTRA.get(("augment", augment), {}), "task": task}
    overrides = {"model": "cnn", "model.channels": "[4,6]", "augment": augment, **extra}
    case = replace(seven(overrides), folds=True)
    configs = configure(case, "fp32")
    data = divide(case, configs)
    assert [len(fold.train) for fold in data] == [31, 30, 29, 31, 30, 29, 31]
    whole = train(configs, data, "batched")
    chunks = [*train(configs[:4], data[:4], "batched"), *train(configs[4:], data[4:], "batched")]
    for row, (config, fold) in enumerate(zip(configs, data, strict=True)):
        (alone,) = train([config], [fold], "solo")
        (stack_of_one,) = train([config], [fold], "batched")
        for other in (whole[row], chunks[row], stack_of_one):
            check_bits(other, alone)


@pytest.mark.parametrize("widths", ["[16,12]", "[33,100]"])
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_dense_folds_of_unequal_parts_equal_each_alone_to_the_bit(norm, widths):
    case = replace(seven({"model": "mlp", "model.widths": widths, "norm": norm, "dropout": "inverted"}), folds=True)
    configs = configure(case, "fp32")
    data = divide(case, configs)
    whole = train(configs, data, "batched")
    for row, (config, fold) in enumerate(zip(configs, data, strict=True)):
        check_bits(whole[row], train([config], [fold], "solo")[0])


def test_folds_whose_layers_are_frozen_at_first_equal_each_alone_to_the_bit():
    frozen = {"freeze": "[hidden.0]", "freeze.until": "1", "optimizer": "adam"}
    case = replace(seven({"model": "mlp", "model.widths": "[16,16]", **frozen}, trials=3), folds=True)
    configs = configure(case, "fp32")
    data = divide(case, configs)
    whole = train(configs, data, "batched")
    for row, (config, fold) in enumerate(zip(configs, data, strict=True)):
        check_bits(whole[row], train([config], [fold], "solo")[0])


@pytest.mark.parametrize("model", [MLP, CNN], ids=["mlp", "cnn"])
def test_folds_that_draw_pairs_of_their_own_equal_each_alone_to_the_bit(model):
    case = replace(seven({**PAIRS, **model}), folds=True)
    configs = configure(case, "fp32")
    data = divide(case, configs)
    assert len({tuple(fold.sample_ids(fold.train)) for fold in data}) == 7
    whole = train(configs, data, "batched")
    for row, (config, fold) in enumerate(zip(configs, data, strict=True)):
        check_bits(whole[row], train([config], [fold], "solo")[0])


def test_chunks_equal_the_whole_to_the_bit():
    case = seven({"optimizer": "adam"}, trials=6)
    configs = configure(case, "fp32")
    data = divide(case, configs)
    whole = train(configs, data, "batched")
    for start in (0, 2, 4):
        for row, chunked in enumerate(train(configs[start : start + 2], data[:2], "batched")):
            check_bits(chunked, whole[start + row])


def run_of(configs: list[dict], data: list) -> tuple[dict[int, tuple], Run]:
    """Return how each trial ended and with what, and the run."""
    run = make_program(components_of(configs, data), "batched").run
    ends = {}
    for event in run.events():
        if isinstance(event, TrialEnd):
            ends[event.trial] = event.status, snapshot(run, run.trials.index(event.trial)), run.step.num_trials
    return ends, run


def test_one_trials_nan_leaves_the_others_unchanged_and_leaves_the_stack():
    trials = [{"optimizer.lr": rate, "seed": str(i)} for i, rate in enumerate(["0.05", "1.0e+30", "0.02"])]
    case = Case("nan", {**MLP, "norm": "none", "optimizer": "momentum"}, trials)
    configs = configure(case, "fp32")
    data = divide(case, configs)
    ends, run = run_of(configs, data)
    assert [ends[trial][0] for trial in range(3)] == ["finished", "diverged", "finished"]
    assert run.step.num_trials == 2
    for trial in (0, 2):
        ((alone, _),) = train(configs[trial : trial + 1], data[:1], "batched")
        for name, value in alone[0].items():
            assert torch.equal(value, ends[trial][1][0][name])


@pytest.mark.parametrize("model", [MLP, CNN], ids=["mlp", "cnn"])
def test_trials_that_stop_early_shrink_the_stack_and_the_rest_do_not_notice(model):
    trials = [{"optimizer.lr": rate, "seed": str(i)} for i, rate in enumerate(["0.000000000001", "0.05", "0.02"])]
    more = {"trainer.epochs": "6", "trainer.patience": "2", "optimizer": "momentum"}
    case = Case("early", {**model, **more}, trials)
    configs = configure(case, "fp32")
    data = divide(case, configs)
    together = train(configs, data, "batched")
    assert len(together[0][1]) < max(len(epochs) for _, epochs in together)
    for row, config in enumerate(configs):
        check_bits(together[row], train([config], data[:1], "batched")[0])
