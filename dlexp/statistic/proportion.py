"""Shares of examples: their interval, and whether a score can be told from a guess that has seen no input."""

import math

from dlexp.direction import is_better_high
from dlexp.number import decimal, noun

NORMAL = 1.959964  # 97.5 % quantile
LEVEL = 0.025  # one-sided: how often a guess may be called better than a guess
CERTAIN = 8.0  # standard errors, beyond which the test's answer is known without it


def wilson(share: float, num: float, deviations: float = NORMAL) -> tuple[float, float]:
    """Return Wilson's interval (p + z^2 / 2N -+ z sqrt(p (1 - p) / N + z^2 / 4N^2)) / (1 + z^2 / N).

    Args:
        share: p, in [0, 1].
        num: N examples, or as many independent ones as they are worth, at least 1.
        deviations: z; the default is that of 95 %.

    References:
        E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    z = deviations
    reach = z * math.sqrt(share * (1 - share) / num + z**2 / (4 * num**2))
    middle, scale = share + z**2 / (2 * num), 1 + z**2 / num
    # of none and of all one end is a bound, which rounding misses
    return 0.0 if share == 0 else (middle - reach) / scale, 1.0 if share == 1 else (middle + reach) / scale


def p_of_guessing(share: float, floor: float, num: int) -> float:
    """Return how often guessing would be right as often as a model, P(X >= k) for X binomial of N and p.

    Args:
        share: k / N, the model's accuracy; a share between two counts is taken as the higher one.
        floor: p, the accuracy of the guess, in [0, 1].
        num: N examples, at least 1.
    """
    count = math.ceil(share * num - 1e-6)
    if count <= 0:
        return 1.0
    if not 0 < floor < 1:
        return float(floor == 1 or count == 0)
    last = min(num, math.ceil(max(count, num * floor) + CERTAIN * math.sqrt(num)))  # what is beyond adds nothing
    return min(1.0, math.fsum(math.exp(_log_chance(k, num, floor)) for k in range(count, last + 1)))


def _log_chance(count: int, num: int, p: float) -> float:
    """Return ln P(X = k) for X binomial."""
    ways = math.lgamma(num + 1) - math.lgamma(count + 1) - math.lgamma(num - count + 1)
    return ways + count * math.log(p) + (num - count) * math.log1p(-p)


def is_guess(name: str, value: float, floor: float, num: int) -> bool:
    """Say whether a value cannot be told from a guess.

    An accuracy can where guessing would reach it in less than 2.5 % of draws (`p_of_guessing`); another metric where it
    is better than the guess's.

    Args:
        name: "val/accuracy", "val/rmse" or "val/explained_variance"; of several targets with its name between.
        value: Of the model.
        floor: Of the guess.
        num: Examples.
    """
    if not name.endswith("accuracy"):
        return value <= floor if is_better_high(name) else value >= floor
    if value <= floor or value > floor + CERTAIN * standard_error(floor, num):
        return value <= floor
    return p_of_guessing(value, floor, num) >= LEVEL


def judge(name: str, value: float | None, floor: float, num: int) -> str:
    """Return a line for the user where a value cannot be told from a guess; "" where it can, or is no number.

    Args:
        name: "val/accuracy", "val/rmse" or "val/explained_variance"; of several targets with its name between.
        value: Of the model.
        floor: Of the guess.
        num: Examples.
    """
    if value is None or not math.isfinite(value) or not is_guess(name, value, floor, num):
        return ""
    if not name.endswith("/accuracy"):
        what = "inputs" if name == "val/explained_variance" else "targets"
        return f"{name} {value:.4g} is no better than guessing the mean of the training {what}, {floor:.4g}"
    chance = p_of_guessing(value, floor, num)
    return (
        f"{name} {decimal(value)} is no better than guessing the most frequent class, {decimal(floor)}: "
        f"of {noun(num, 'example')} a guess is right as often with p = {chance:.2g}"
    )


def standard_error(share: float, num: int) -> float:
    """Return that of a share of N examples, sqrt(p (1 - p) / N)."""
    return math.sqrt(share * (1 - share) / num)
