"""The rules by which layers, losses and data speak of a cause, from the first cause to the last symptom.

A rule reads a statistic; outside its healthy range it fires. It becomes a finding only beside a consequence
(`dlexp.diagnose.finding`). Thresholds are checked against healthy and faulty trainings by `python -m
benchmarks.diagnose`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from dlexp.diagnose.evidence import FEW, Evidence

HEALTHY_RATIO = 1e-2  # |update| / |weight| of the layer that moves most, where training works


@dataclass(frozen=True)
class Reading:
    """A statistic outside its healthy range.

    Attributes:
        value: The number.
        where: Which layer, input or epoch it is of; "" for the whole.
    """

    value: float
    where: str = ""


@dataclass(frozen=True)
class Rule:
    """One way in which a training fails.

    Attributes:
        name: As users meet it.
        statistic: What is measured.
        healthy: The range in which it is healthy.
        source: Where the rule is from.
        read: Returns the statistic where it is not healthy.
        cures: Overrides that may cure it, the likeliest first.
        is_cause: Whether it may be why a training fails; the others are notes.
    """

    name: str
    statistic: str
    healthy: str
    source: str
    read: Callable[[Evidence], Reading | None]
    cures: Callable[[Evidence], list[str]]
    is_cause: bool = True


def _symmetric(e: Evidence) -> Reading | None:
    equal = [layer for layer in e.first[:-1] if layer.has_equal_rows]
    return Reading(float(len(equal)), equal[0].name) if equal else None


def _unscaled(e: Evidence) -> Reading | None:
    _, high = e.spread
    return Reading(high, "the widest input") if high > 10 or high < 0.1 else None


def _signal(e: Evidence) -> Reading | None:
    first, last = e.first[0], e.first[-1]
    if e.choices["norm"] != "none" or len(e.first) < 2 or not first.pre_std > 0:
        return None
    ratio = _ratio(last.pre_std, first.pre_std)
    return Reading(ratio, f"{last.name} / {first.name}") if ratio < 0.02 or ratio > 50 else None


def _saturated(e: Evidence) -> Reading | None:
    flat = [layer for layer in e.hidden if layer.saturated is not None and layer.saturated > 0.5]
    worst = max(flat, key=lambda layer: layer.saturated or 0.0, default=None)
    return None if worst is None else Reading(worst.saturated or 0.0, worst.name)


def _gradient(e: Evidence) -> float:
    """Return rms of the first weight's gradient / the last's; NaN where norms keep it, or there are not two."""
    first, last = e.first[0], e.first[-1]
    if e.choices["norm"] != "none" or len(e.first) < 2 or not last.grad_rms > 0:
        return math.nan
    return first.grad_rms / last.grad_rms


def _ratio(above: float, below: float) -> float:
    """Return the quotient of two sizes; infinite over zero, and NaN for zero over zero."""
    return above / below if below else math.inf if above else math.nan


def _vanishing(e: Evidence) -> Reading | None:
    ratio = _gradient(e)
    return Reading(ratio, f"{e.first[0].name} / {e.first[-1].name}") if ratio < 0.01 else None


def _exploding(e: Evidence) -> Reading | None:
    ratio = _gradient(e)
    return Reading(ratio, f"{e.first[0].name} / {e.first[-1].name}") if ratio > 100 else None


def _init_loss(e: Evidence) -> Reading | None:
    ratio = e.start / e.constant if e.constant > 0 else math.nan
    return Reading(ratio) if ratio > 4 or ratio == math.inf else None


def _lr_large(e: Evidence) -> Reading | None:
    if not e.losses:
        return None
    ratio = _ratio(sum(e.losses[:FEW]) / len(e.losses[:FEW]), e.losses[0])
    if not all(map(math.isfinite, e.losses)):
        return Reading(math.inf)
    if ratio > 2:
        return Reading(ratio)
    return Reading(_largest(e), "|update| / |weight|") if _largest(e) > 0.5 else None


def _largest(e: Evidence) -> float:
    return max(e.ratios.values(), default=math.nan)


def _lr_small(e: Evidence) -> Reading | None:
    early = e.losses[:FEW]  # the first alone is of one batch, whose noise may be larger than what is asked for
    is_stuck = _largest(e) < 2e-4 and e.end > 0.9 * sum(early) / len(early) and _lr_large(e) is None
    return Reading(_largest(e)) if is_stuck else None


def _dead(e: Evidence) -> Reading | None:
    worst = max(e.last, key=lambda layer: layer.dead or 0.0, default=None)
    share = None if worst is None else worst.dead
    return Reading(share, worst.name) if worst is not None and share is not None and share >= 0.8 else None


def _tiny_batch(e: Evidence) -> Reading | None:
    size = e.config["trainer"]["batch_size"]
    return Reading(float(size)) if e.choices["norm"] == "batch" and size < 8 else None


def _inits(e: Evidence) -> list[str]:
    names = [layer.activation for layer in e.hidden]
    bounded = names and names[0] in ("tanh", "sigmoid")
    return ["init=xavier_normal", "init=kaiming_normal"] if bounded else ["init=kaiming_normal"]


def _of_signal(e: Evidence) -> list[str]:
    is_sigmoid = any(layer.activation == "sigmoid" for layer in e.hidden)
    return [*_inits(e)[:1], *(["activation=relu init=kaiming_normal"] if is_sigmoid else [])]


def _scaled_lr(e: Evidence, factor: float) -> list[str]:
    lr = e.config["optimizer"].get("lr")
    return [f"optimizer.lr={lr * factor:.4g}"] if isinstance(lr, int | float) else []


def _larger(e: Evidence) -> list[str]:
    ratio = _largest(e)
    power = round(math.log10(HEALTHY_RATIO / ratio)) if ratio > 0 else 2
    return _scaled_lr(e, 10.0 ** max(1, power))


def _smaller(e: Evidence) -> list[str]:
    ratio = max((values[0] for values in e.steps.values()), default=math.nan)  # before anything was blown apart
    power = round(math.log10(ratio / HEALTHY_RATIO)) if 0 < ratio < math.inf else 1
    return [*_scaled_lr(e, 10.0 ** -max(1, power)), "schedule.warmup=1"]


def _of_gradient(e: Evidence) -> list[str]:
    is_bounded = any(layer.saturated is not None for layer in e.hidden)
    return [*(["activation=relu init=kaiming_normal", "activation=relu"] if is_bounded else _inits(e)), "norm=batch"]


RULES = (
    Rule(
        "symmetric",
        "hidden weights whose rows are all equal",
        "none",
        "Goodfellow, Bengio, Courville (2016), Deep Learning, section 8.4",
        _symmetric,
        _inits,
    ),
    Rule(
        "unscaled",
        "standard deviation of the inputs after normalisation",
        "0.1 to 10",
        "LeCun et al. (1998), Efficient BackProp, section 4.3",
        _unscaled,
        lambda _: ["normalize=standard"],
    ),
    Rule(
        "signal",
        "standard deviation of pre-activations, last layer / first",
        "0.02 to 50, without norms",
        "He et al. (2015), Delving Deep into Rectifiers, section 2.2",
        _signal,
        lambda e: [*_of_signal(e), "norm=batch"],
    ),
    Rule(
        "saturated",
        "share of activations at the flat ends",
        "at most 0.5",
        "Glorot and Bengio (2010), Understanding the difficulty of training, section 3",
        _saturated,
        lambda e: [*_of_signal(e), "norm=batch"],
    ),
    Rule(
        "gradient_vanishes",
        "rms of weight gradients, first layer / last",
        "0.01 to 100, without norms",
        "Glorot and Bengio (2010), section 4.2",
        _vanishing,
        _of_gradient,
    ),
    Rule(
        "gradient_explodes",
        "rms of weight gradients, first layer / last",
        "0.01 to 100, without norms",
        "Pascanu, Mikolov, Bengio (2013), On the difficulty of training recurrent networks",
        _exploding,
        lambda e: [*_inits(e), "norm=batch"],
    ),
    Rule(
        "init_loss",
        "first loss / loss of a constant prediction",
        "at most 4",
        "Karpathy (2019), A Recipe for Training Neural Networks",
        _init_loss,
        lambda e: ["normalize=standard", *_inits(e)],
    ),
    Rule(
        "lr_large",
        "mean of the first ten losses / the first, or |update| / |weight|",
        "at most 2; at most 0.5",
        "Goodfellow, Bengio, Courville (2016), section 11.4.1",
        _lr_large,
        _smaller,
    ),
    Rule(
        "lr_small",
        "largest layer's median |update| / |weight|, the loss fallen by less than 10 %",
        "at least 2e-4",
        "Bottou (2012), Stochastic Gradient Descent Tricks, section 5",
        _lr_small,
        _larger,
    ),
    Rule(
        "dead",
        "share of a layer's units that are active for no example",
        "below 0.8",
        "Lu et al. (2019), Dying ReLU and Initialization",
        _dead,
        lambda e: [*_scaled_lr(e, 0.1), "activation=leaky_relu"],
    ),
    Rule(
        "bn_tiny_batch",
        "examples of a batch under batch norm",
        "8 or more",
        "Wu and He (2018), Group Normalization, figure 1",
        _tiny_batch,
        lambda _: ["norm=group", "norm=layer", "norm=none"],
    ),
)
