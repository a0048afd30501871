"""Trials that one program can train, for every architecture, rule, option and value: what equality is shown on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dlexp.config.catalog import list_groups

# 5 updates an epoch, the last of fewer examples; 2 epochs
COMMON = {
    "tracking": "none",
    "trainer.threads": "1",
    "trainer.device": "cpu",
    "trainer.epochs": "2",
    "trainer.batch_size": "8",
    "data.limit": "36",
}
RULES = ("sgd", "nesterov", "adam", "adamw", "rmsprop", "adagrad")
# These divide by the size of the gradient, so that the rounding of a vanishing one becomes a step of lr: without eps
# they would compare noise.
ADAPTIVE = {
    rule: {"optimizer.lr": "0.001", "optimizer.eps": "1e-3"} for rule in ("adam", "adamw", "rmsprop", "adagrad")
}
MODELS: dict[str, dict[str, str]] = {
    "softmax": {},
    "mlp": {"model.widths": "[16,12]"},
    "cnn": {"model.channels": "[4,6]"},
    "resnet": {"model.depth": "8"},
    "densenet": {"model.depth": "40", "model.growth_rate": "2"},
    # Batch norm over eight single pixels, fifty layers deep, amplifies rounding ten thousandfold at every update.
    "resnext": {"model.depth": "50", "model.groups": "2", "model.width_per_group": "2", "norm": "layer"},
    "nin": {},
    "inception": {},
    "vgg": {"model.depth": "11"},
}
SMALL = ("softmax", "mlp", "cnn", "resnet")
BLOCKS = ("activation", "norm", "dropout", "regularizer", "augment", "loss", "schedule", "init", "normalize")
REGRESSION = ("mse", "mae", "huber")
PAIRS = {"task": "pairs", "pairs.train": "40", "pairs.held_out": "60"}
OF_PAIRS = ("cosine", "contrastive")
TWO_STEPS = "[{_target_: dlexp.augment.noise.Noise, std: 0.1}, {_target_: dlexp.augment.cutout.Cutout, size: 3}]"
EXTRA: dict[tuple[str, str], dict[str, str]] = {
    # under equal weights all classes tie, and rounding decides which is predicted: values have no ties
    **{("init", option): {"data": "diabetes"} for option in ("constant", "zeros")},
    # groups of two features have variances near zero, which scale rounding up
    ("norm", "group"): {"model.widths": "[16,16]", "norm.num_groups": "2"},
    ("norm", "instance"): {"model": "cnn", "model.channels": "[4,6]"},
    ("augment", "compose"): {"augment.steps": TWO_STEPS},
    ("augment", "cutout"): {"augment.size": "3"},
    ("augment", "flip_crop"): {"augment.padding": "1"},
    ("regularizer", "norm_ball"): {"regularizer.eta": "20"},
    ("regularizer", "max_norm"): {"regularizer.max_norm": "0.5"},
}


@dataclass(frozen=True)
class Case:
    """Trials to be compared: what they have in common, and what each has of its own."""

    name: str
    overrides: dict[str, str]
    trials: list[dict[str, str]] = field(
        default_factory=lambda: [{"optimizer.lr": "0.02", "seed": "0"}, {"optimizer.lr": "0.05", "seed": "1"}]
    )
    folds: bool = False


def models(names: Iterable[str] = MODELS, rules: Iterable[str] = RULES) -> Iterator[Case]:
    """Yield every architecture under every update rule."""
    for name in names:
        for rule in rules:
            overrides = {"model": name, "optimizer": rule, **MODELS[name]}
            rates = ("0.001", "0.0005") if rule in ADAPTIVE else ("0.02", "0.01")
            trials = [{"optimizer.lr": rate, "seed": str(seed)} for seed, rate in enumerate(rates)]
            yield Case(f"{name} {rule}", {**overrides, **ADAPTIVE.get(rule, {})}, trials)


def large() -> Iterator[Case]:
    """Yield trials of every large architecture, and its folds of unequal parts, augmented."""
    bottleneck = {"model": "resnet", "model.depth": "50"}
    chosen = {"resnet bottleneck": bottleneck}
    chosen |= {name: {"model": name, **overrides} for name, overrides in MODELS.items() if name not in SMALL}
    for name, overrides in chosen.items():
        trials = [{"optimizer.lr": rate, "seed": str(seed)} for seed, rate in enumerate(("0.002", "0.001"))]
        yield Case(f"large: {name}", {**overrides, "optimizer": "nesterov"}, trials)
        augmented = {"augment": "flip_crop", **EXTRA["augment", "flip_crop"], "optimizer.lr": "0.001"}
        yield Case(f"large: {name} folds, flip_crop", {**overrides, **augmented}, [{}, {}, {}], folds=True)


def blocks() -> Iterator[Case]:
    """Yield every option of the groups around the model, on the smallest network that has a place for it."""
    for group in BLOCKS:
        for option in list_groups()[group]:
            overrides = {"model.widths": "[16,12]", group: option, **EXTRA.get((group, option), {})}
            if group == "loss" and option in REGRESSION:
                overrides["data"] = "diabetes"
            if group == "loss" and option in OF_PAIRS:
                overrides |= PAIRS
            if overrides.get("model") == "cnn":
                del overrides["model.widths"]
            yield Case(f"{group}={option}", overrides)
    for statistics, variance in (("moving", "biased"), ("cumulative", "unbiased"), ("exact", "biased")):
        chosen = {"norm.statistics": statistics, "norm.variance": variance}
        yield Case(f"{statistics} {variance} statistics", {"model.widths": "[16,12]", "trainer.ema": "0.9", **chosen})
        yield Case(f"{statistics} {variance} statistics of images", {"model": "cnn", **MODELS["cnn"], **chosen})


# what every trial of the case has, the key, and two values of it
VALUES: list[tuple[dict[str, str], str, tuple[str, str]]] = [
    *[({}, "optimizer.lr", ("0.1", "0.02")), ({}, "optimizer.weight_decay", ("0", "0.1"))],
    *[({"optimizer": rule}, "optimizer.momentum", ("0.5", "0.9")) for rule in ("momentum", "nesterov")],
    *[({"optimizer": rule}, "optimizer.betas", ("[0.9,0.999]", "[0.5,0.8]")) for rule in ("adam", "adamw")],
    *[({"optimizer": rule}, "optimizer.eps", ("0.001", "0.01")) for rule in ("adam", "adamw", "rmsprop", "adagrad")],
    ({"optimizer": "adamw"}, "optimizer.weight_decay", ("0.1", "0.0")),
    ({"optimizer": "rmsprop"}, "optimizer.alpha", ("0.9", "0.5")),
    ({"optimizer": "adagrad"}, "optimizer.initial", ("0.1", "0.5")),
    *[({"regularizer": rule}, "regularizer.weight", ("0.01", "0.0")) for rule in ("l1", "l2", "elastic", "linf")],
    ({"regularizer": "elastic"}, "regularizer.beta", ("1.0", "3.0")),
    ({"regularizer": "max_norm"}, "regularizer.max_norm", ("0.5", "1.0")),
    ({"regularizer": "norm_ball"}, "regularizer.eta", ("10", "20")),
    *[({"dropout": kind}, "dropout.p", ("0.5", "0.0")) for kind in ("inverted", "classic")],
    ({"loss": "cross_entropy"}, "loss.label_smoothing", ("0.1", "0.0")),
    ({"loss": "cross_entropy"}, "loss.lse_penalty", ("0.01", "0.0")),
    ({"dropout": "inverted", "model.input_dropout": "0.2"}, "model.input_dropout", ("0.2", "0.5")),
    ({"model.output_shortcut": "true"}, "optimizer.lr", ("0.1", "0.02")),
    ({"optimizer": "momentum", "optimizer.form": "sutskever", "schedule": "cosine"}, "optimizer.lr", ("0.1", "0.02")),
    *[
        ({"optimizer": rule, "optimizer.form": form}, "optimizer.eps", ("0.001", "0.01"))
        for rule in ("adam", "rmsprop", "adagrad")
        for form in ("inside", "rootless")
    ],
    ({"loss": "cross_entropy"}, "loss.class_weight", ("[1,2,3,4,5,6,7,8,9,1]", "[1,1,1,1,1,0,0,1,1,1]")),
    ({"loss": "bce"}, "loss.alpha", ("1.0", "3.0")),
    ({"loss": "hinge"}, "loss.margin", ("1.0", "0.3")),
    ({"loss": "huber", "data": "diabetes"}, "loss.delta", ("1.0", "0.3")),
    ({"loss": "cosine", **PAIRS}, "loss.margin", ("0.0", "-1.0")),
    ({"loss": "contrastive", **PAIRS}, "loss.margin", ("1.0", "4.0")),
    ({"trainer.grad_clip": "1"}, "trainer.grad_clip", ("0.1", "100.0")),
    ({"trainer.ema": "0.5"}, "trainer.ema", ("0.5", "0.0")),
    *[({"schedule": name}, "schedule.final", ("0.0", "0.3")) for name in ("cosine", "linear")],
    *[({"schedule": name}, "schedule.gamma", ("0.9", "0.5")) for name in ("exponential", "step", "plateau")],
    ({"schedule": "step"}, "schedule.step_size", ("0.5", "1.0")),
    ({"schedule": "step"}, "schedule.milestones", ("[0.4,1.2]", "[1.0,1.4]")),
    ({"schedule": "one_cycle"}, "schedule.pct_start", ("0.3", "0.6")),
    ({"schedule": "one_cycle"}, "schedule.div_factor", ("25", "5")),
    ({"schedule": "one_cycle"}, "schedule.final_div_factor", ("100", "10")),
    ({"schedule": "plateau"}, "schedule.patience", ("0", "5")),
    ({"schedule": "cosine"}, "schedule.warmup", ("0", "1")),
    *[({}, "init", ("zeros", "orthogonal")), ({"init": "normal"}, "init.std", ("0.1", "0.5"))],
    *[({"init": rule}, "init.gain", ("auto", "0.5")) for rule in ("kaiming_normal", "xavier_uniform")],
    *[({"init": "uniform"}, "init.bound", ("0.1", "0.5")), ({}, "seed", ("0", "1"))],
    *[({}, f"seeds.{stream}", ("3", "4")) for stream in ("init", "order")],
    ({"dropout": "inverted"}, "seeds.dropout", ("3", "4")),
    ({"augment": "noise"}, "seeds.augment", ("3", "4")),
    ({"augment": "noise"}, "augment.std", ("0.1", "0.5")),
    ({"augment": "affine"}, "augment.rotation", ("5", "40")),
    ({"augment": "photometric"}, "augment.brightness", ("0.1", "0.5")),
    ({"augment": "cutout"}, "augment.size", ("2", "4")),
    ({"augment": "flip_crop"}, "augment.padding", ("1", "2")),
    ({"augment": "mixup"}, "augment.alpha", ("1.0", "0.2")),
]


def values() -> Iterator[Case]:
    """Yield pairs of trials that differ in one value only, and folds that differ in their examples only."""
    for overrides, key, pair in VALUES:
        base = {"model.widths": "[16,12]", **ADAPTIVE.get(overrides.get("optimizer", ""), {}), **overrides}
        name = " ".join([*(f"{k}={v}" for k, v in overrides.items() if k not in PAIRS), key])
        yield Case(name, base, [{key: value} for value in pair])
    balanced = {"loss": "cross_entropy", "loss.class_weight": "balanced", "model.widths": "[16,12]"}
    yield Case("fold", {"model.widths": "[16,12]"}, [{}, {}, {}], folds=True)
    images = {"model": "cnn", **MODELS["cnn"], "dropout": "inverted"}
    yield Case("fold of images", images, [{}, {}, {}], folds=True)
    yield Case("fold, classes balanced by each", balanced, [{}, {}, {}], folds=True)
    yield Case("fold of pairs", {**PAIRS, "model.widths": "[16,12]"}, [{}, {}, {}], folds=True)
    yield Case("fold of pairs of images", {**PAIRS, **images, "augment": "noise"}, [{}, {}, {}], folds=True)


def tasks() -> Iterator[Case]:
    """Yield other tasks than one target's, and models of which layers are frozen."""
    inputs, images = {"task": "reconstruct", "model.code": "3"}, {"model": "cnn", **MODELS["cnn"]}
    dense, adam = {"model.widths": "[16,12]"}, {"optimizer": "adam"}
    noise, crop = {"augment": "noise"}, {"augment": "flip_crop", **EXTRA["augment", "flip_crop"]}
    # rates of 0.02 and 0.05 make decoders of images diverge, and batch norm over a code's dead channels divides by the
    # root of nothing but eps: either amplifies rounding a thousandfold at every update
    rates = [{"optimizer.lr": "0.002", "seed": "0"}, {"optimizer.lr": "0.001", "seed": "1"}]
    yield Case("reconstruct", {**inputs, **dense})
    yield Case(
        "reconstruct a table",
        {**inputs, **dense, "data": "diabetes", "dropout": "inverted", "model.input_dropout": "0.2"},
    )
    mirrored = {**inputs, **images, "norm": "layer"}
    yield Case("reconstruct images", {**mirrored, **ADAPTIVE["adam"], **adam}, rates)
    yield Case("reconstruct images, noise", {**mirrored, **noise}, rates)
    yield Case("reconstruct images, flip_crop", {**mirrored, **crop}, rates)
    yield Case("fold of reconstruct", {**inputs, **dense}, [{}, {}, {}], folds=True)
    yield Case("fold of reconstruct of images", {**mirrored, "optimizer.lr": "0.002"}, [{}, {}, {}], folds=True)
    joint = {"data": "linnerud", "data.limit": "null", "trainer.batch_size": "4", **dense}
    yield Case("several targets", joint)
    yield Case("several targets, weights", {**joint, "loss.weights": "[1,0,2]"})
    yield Case("several targets, adam", {**joint, **ADAPTIVE["adam"], **adam}, rates)
    frozen = {"freeze": "[hidden.0]"}
    yield Case("frozen", {**frozen, **dense})
    yield Case("frozen, adam", {**frozen, **dense, **ADAPTIVE["adam"], **adam}, rates)
    yield Case("frozen until epoch 1", {**frozen, "freeze.until": "1", **dense})
    yield Case("frozen images, all but the output", {"freeze.all_but": "[output]", **images})
    yield Case("fold of frozen", {**frozen, **dense}, [{}, {}, {}], folds=True)
    yield Case("frozen pairs", {**frozen, **PAIRS, **dense})
