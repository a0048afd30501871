"""A trial's numbers do not depend on its company: every block, fused and alone, over ten updates."""

import pytest
import torch

from dlexp.config.catalog import list_groups
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import snapshot
from dlexp.engine.stack.fold import stack_kinds
from dlexp.job.assemble import assemble_group
from dlexp.job.component import load_data
from dlexp.job.config import resolve
from dlexp.job.structure import structure_key

# 5 updates an epoch, 2 epochs; every per-trial value differs between the trials
SMALL = {
    "data.limit": "150",
    "trainer.epochs": "2",
    "trainer.threads": "1",
    "tracking": "none",
    "model.widths": "[16,12]",
}
LRS = ["0.02", "0.05", "0.01"]


def configs(overrides: list[str], trials: int = 3, per_trial: dict[str, list[str]] | None = None) -> list[dict]:
    chosen = SMALL | dict(override.split("=", 1) for override in overrides)
    if chosen.get("model", "mlp") != "mlp":
        del chosen["model.widths"]
    made = []
    for trial in range(trials):
        own = {"optimizer.lr": LRS[trial % 3], "seed": str(trial)}
        own |= {key: values[trial % len(values)] for key, values in (per_trial or {}).items()}
        made.append(resolve([f"{k}={v}" for k, v in (chosen | own).items()]).config)
    return made


def train(made: list[dict], engine: str) -> tuple[dict, dict]:
    """Return the last snapshot and the epochs' metrics of each trial."""
    data = load_data(made[0])
    assert len({structure_key(config, data) for config in made}) == 1
    run = assemble_group(made, [data] * len(made), engine).run
    ends, epochs = {}, {trial: [] for trial in run.trials}
    for event in run.events():
        if isinstance(event, EpochEnd):
            epochs[event.trial].append(event.metrics)
        elif isinstance(event, TrialEnd):
            ends[event.trial] = snapshot(run, run.trials.index(event.trial))
    return ends, epochs


def check_equal_to_solo(made: list[dict], engine: str) -> None:
    """Float64: 1e-9 for weights, state and metrics of every trial."""
    stacked, stacked_epochs = train(made, engine)
    for trial, config in enumerate(made):
        alone, alone_epochs = train([config], "solo")
        close = {"rtol": 1e-9, "atol": 1e-9}
        torch.testing.assert_close(stacked[trial][0], alone[0][0], **close)
        torch.testing.assert_close(stacked[trial][1]["step"], alone[0][1]["step"], **close)
        assert stacked_epochs[trial] == [pytest.approx(metrics, abs=1e-9, rel=1e-7) for metrics in alone_epochs[0]]


GROUPS = list_groups()
OPTIMIZERS = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]
BLOCKS = [
    *[
        f"{group}={option}"
        for group in ("norm", "dropout", "regularizer", "schedule", "init")
        for option in GROUPS[group]
    ],
    *[f"activation={option}" for option in GROUPS["activation"]],
    *[f"loss={option}" for option in ("cross_entropy", "hinge", "bce")],
]
NEEDS_IMAGES = {"norm=instance"}
# groups of two features have variances near zero, which scale rounding up
EXTRA = {"norm=group": ["model.widths=[16,16]", "norm.num_groups=2"]}


@pytest.mark.parametrize("engine", ["folded", "vmapped"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_update_rule(optimizer, engine):
    # rules that divide by the gradient's size turn the rounding of a vanishing gradient into whole steps of lr
    rates = ["0.001", "0.0005", "0.0002"] if optimizer.startswith(("ada", "rms")) else LRS
    eps = ["optimizer.eps=1e-3"] if optimizer == "adagrad" else []
    made = configs([f"optimizer={optimizer}", "trainer.precision=fp64", *eps], per_trial={"optimizer.lr": rates})
    check_equal_to_solo(made, engine)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block not in NEEDS_IMAGES])
def test_every_block(block):
    made = configs([block, "trainer.precision=fp64", *EXTRA.get(block, [])])
    data = load_data(made[0])
    kinds, reasons = stack_kinds(assemble_group(made[:1], [data]).model, data.in_shape)
    assert kinds, reasons
    for engine in kinds:
        check_equal_to_solo(made, engine)


PER_TRIAL = [
    (
        ["optimizer=momentum"],
        {"optimizer.momentum": ["0.5", "0.9", "0.0"], "optimizer.weight_decay": ["0", "0.1", "0.01"]},
    ),
    (["regularizer=l2"], {"regularizer.weight": ["0.1", "0.0", "0.001"]}),
    (["dropout=inverted"], {"dropout.p": ["0.1", "0.5", "0.0"]}),
    (["loss=cross_entropy"], {"loss.label_smoothing": ["0.0", "0.1", "0.3"]}),
    (["trainer.grad_clip=1"], {"trainer.grad_clip": ["0.1", "1.0", "100.0"]}),
    (["trainer.ema=0.5"], {"trainer.ema": ["0.5", "0.9", "0.0"]}),
    (["schedule=cosine"], {"schedule.warmup": ["0", "0.5", "1"], "schedule.final": ["0", "0.1", "0.5"]}),
    (["schedule=plateau"], {"init": ["zeros", "kaiming_normal", "orthogonal"]}),
    (["trainer.accumulate=2"], {}),
    (["seeds.order=3"], {}),
]


@pytest.mark.parametrize(("overrides", "per_trial"), PER_TRIAL, ids=lambda v: "+".join(v))
def test_every_value_that_may_differ_between_trials(overrides, per_trial):
    check_equal_to_solo(configs([*overrides, "trainer.precision=fp64"], per_trial=per_trial), "folded")


@pytest.mark.parametrize("augment", ["flip_crop", "mixup", "noise"])
def test_augmentation_draws_are_each_trials_own(augment):
    made = configs(["model=softmax", f"augment={augment}", "trainer.precision=fp64", "data.limit=64"])
    check_equal_to_solo(made, "folded")


@pytest.mark.parametrize("overrides", [[], ["norm=layer"], ["dropout=inverted", "optimizer=adam"], ["seeds.order=1"]])
def test_row_of_seven_equals_the_stack_of_one_to_the_bit(overrides):
    made = configs(overrides, trials=7)
    together, _ = train(made, "folded")
    for trial in (0, 3, 6):
        alone, _ = train([made[trial]], "folded")
        for name, value in alone[0][0].items():
            assert torch.equal(value, together[trial][0][name]), name


def test_chunks_equal_the_whole_to_the_bit():
    made = configs(["optimizer=adam"], trials=6)
    whole, _ = train(made, "folded")
    for start in (0, 2, 4):
        part, _ = train(made[start : start + 2], "folded")
        for row in (0, 1):
            for name, value in part[row][0].items():
                assert torch.equal(value, whole[start + row][0][name])


def test_one_trials_nan_leaves_the_others_unchanged_and_leaves_the_stack():
    made = configs(["norm=none", "optimizer=momentum"], per_trial={"optimizer.lr": ["0.05", "1e30", "0.02"]})
    data = load_data(made[0])
    run = assemble_group(made, [data] * 3, "folded").run
    ends = {}
    for event in run.events():
        if isinstance(event, TrialEnd):
            ends[event.trial] = (
                event.status,
                run.trials.index(event.trial),
                snapshot(run, run.trials.index(event.trial)),
            )
    assert [ends[trial][0] for trial in range(3)] == ["finished", "diverged", "finished"]
    assert run.step.num_trials == 2
    for trial in (0, 2):
        alone, _ = train([made[trial]], "folded")
        for name, value in alone[0][0].items():
            assert torch.equal(value, ends[trial][2][0][name])


def test_trials_that_stop_early_shrink_the_stack_and_the_rest_do_not_notice():
    made = configs(
        ["trainer.epochs=6", "trainer.patience=1", "optimizer=momentum"],
        per_trial={"optimizer.lr": ["1e-12", "0.05", "0.02"]},
    )
    together, epochs = train(made, "folded")
    assert len(epochs[0]) < len(epochs[1])
    for trial, config in enumerate(made):
        alone, alone_epochs = train([config], "folded")
        assert epochs[trial] == alone_epochs[0]
        for name, value in alone[0][0].items():
            assert torch.equal(value, together[trial][0][name])


def test_folds_of_unequal_length_train_with_exactly_their_own_batches():
    made = configs(["trainer.precision=fp64", "data.limit=null", "optimizer=momentum"])
    data = load_data(made[0])
    rows = data.train
    sizes = [100, 99, 101]  # the last batch has 4, 3 and 5 examples
    folds = [
        data.with_parts(rows[i * 120 : i * 120 + n], rows[500 + i * 50 : 500 + i * 50 + n]) for i, n in enumerate(sizes)
    ]
    run = assemble_group(made, folds, "folded").run
    ends, epochs = {}, {0: [], 1: [], 2: []}
    for event in run.events():
        if isinstance(event, EpochEnd):
            epochs[event.trial].append(event.metrics)
        elif isinstance(event, TrialEnd):
            ends[event.trial] = snapshot(run, run.trials.index(event.trial))
    for trial in range(3):
        alone = assemble_group([made[trial]], [folds[trial]]).run
        metrics = [event.metrics for event in alone.events() if isinstance(event, EpochEnd)]
        torch.testing.assert_close(ends[trial][0], snapshot(alone)[0], rtol=1e-9, atol=1e-9)
        assert epochs[trial] == [pytest.approx(own, abs=1e-9, rel=1e-7) for own in metrics]


MODELS = {
    "softmax": [],
    "mlp": [],
    "cnn": [],
    "resnet": ["model.depth=8"],
}


@pytest.mark.parametrize("model", MODELS)
def test_models(model):
    made = configs([f"model={model}", *MODELS[model], "trainer.precision=fp64", "data.limit=64"])
    check_equal_to_solo(made, "vmapped")
