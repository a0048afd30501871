"""What a winner is worth: the optimism of having been picked, with its epoch, as the best of many on the same examples.

Shapes: B draws, E epochs, S settings, C candidates (every epoch of every model), N examples.
"""

import math
from dataclasses import dataclass

import numpy as np

from dlexp.statistic.proportion import NORMAL, wilson
from dlexp.statistic.spread import EQUAL
from dlexp.statistic.stream import stream

ALPHA = 0.5  # variance of the noise that is added, in units of the noise that is there
GROWTH = 0.75  # optimism at v times the variance is v^g of that at 1; g is 1/2 for equal settings, 1 for spread ones
NEAR = 2.0  # standard deviations within which a candidate is taken for as good as the best
WIDEN = 1.15  # the correction is uncertain too: with this the interval holds as often as it says, by simulation


@dataclass(frozen=True)
class Model:
    """One trained model at each of its epochs, which the examples choose among.

    Attributes:
        values_E: Its scores, higher is better.
        noise_BE: Draws of how far they are from what they would be on all examples of the kind: `jitter` makes them.
    """

    values_E: np.ndarray
    noise_BE: np.ndarray


@dataclass(frozen=True)
class Selection:
    """The winner of S settings.

    Attributes:
        value: Its score: the mean over its models, each at its best epoch.
        optimism: How much of it comes from having been picked, epoch and setting.
        corrected: value - optimism.
        low: Lower end of the 95 % interval of what the picked models score on all examples of the kind.
        high: Upper end.
        wins: Share of the draws of as much noise again in which the same setting wins; k that tie count as 1/k.
    """

    value: float
    optimism: float
    corrected: float
    low: float
    high: float
    wins: float


def select(settings: list[list[Model]], share_of: float | None = None) -> Selection:
    """Estimate what the best setting is worth.

    Let the scores be theta + e, with noise e of covariance V / N. Noise a of covariance alpha V / N is added, and the
    whole choice is made again: each model's best epoch, then the setting of the highest mean. Given the sum of both,
    the added noise is alpha / (1 + alpha) of it. So (1 + alpha) / alpha times the mean of what was added to the
    winner is without bias the optimism h(1 + alpha) of choosing at (1 + alpha) times the variance, whatever theta, V
    and the rule of choosing. h(1) = h(1 + alpha) / (1 + alpha)^g follows by g = 3/4: exact g are 1/2 for equal
    settings and 1 for theta spread wide and normally, so at alpha = 1/2 the bias is between -10 % and +11 %.

    Draws come in pairs of opposite sign, so that what all candidates share cancels. A candidate that was lucky shows
    too little noise (p (1 - p) of a proportion), so those within two deviations of the best are given the mean of
    their variances. One that shows none at all (no error on few examples) is given that too, in draws that all such
    ones share.

    Args:
        settings: The models of each setting, one for each seed; all draws from the same examples.
        share_of: N where scores are shares of right examples, or how many independent ones they are worth: the interval
            is then Wilson's, which holds near 1 too.

    References:
        N. L. Oliveira, J. Lei, R. J. Tibshirani (2024), Unbiased risk estimation in the normal means problem via
        coupled bootstrap techniques, Electronic Journal of Statistics 18 (noise at 1 + alpha).
        E. B. Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
        J. Cook, L. Stefanski (1994), Simulation-extrapolation estimation, JASA 89 (from 1 + alpha to 1).
    """
    settings = _with_pooled_noise(settings)
    picked = [_pick_epochs(models, 0.0) for models in settings]
    values_S = np.array([value_B[0] for value_B, _ in picked])
    winner = int(values_S.argmax())
    gap = _mean_gap(settings, ALPHA)
    optimism = max(gap * (math.sqrt(ALPHA) + 1 / math.sqrt(ALPHA)) / (1 + ALPHA) ** GROWTH, 0.0)
    corrected = float(values_S[winner]) - optimism
    if share_of is None:
        reach = NORMAL * WIDEN * float(np.sqrt((picked[winner][1] ** 2).mean()))
        low, high = corrected - reach, corrected + reach
    else:
        low, high = wilson(min(max(corrected, 0.0), 1.0), share_of, NORMAL * WIDEN)
    return Selection(float(values_S[winner]), optimism, corrected, low, high, _wins(settings, winner))


def spread_over_noise(settings: list[list[Model]]) -> float:
    """Return how far the settings' scores lie apart, in units of the noise of one.

    The deviation is that of a normal law with their interquartile range, IQR / 1.349; the noise is the median over
    settings of sqrt(mean_b n_b^2), of each model at its best epoch. Settings of one true score give about 1.
    """
    picked = [_pick_epochs(models, 0.0) for models in settings]
    lower, upper = np.quantile([value_B[0] for value_B, _ in picked], [0.25, 0.75])
    noise = float(np.median([math.sqrt(float((noise_B**2).mean())) for _, noise_B in picked]))
    return float(upper - lower) / 1.349 / noise if noise else 0.0


def _mean_gap(settings: list[list[Model]], alpha: float) -> float:
    """Return the mean over draws of the noise in the winner's favour."""
    sides = []
    for sign in (1.0, -1.0):
        picks = [_pick_epochs(models, sign * math.sqrt(alpha)) for models in settings]
        values_SB, noise_SB = (np.stack(arrays) for arrays in zip(*picks, strict=True))
        winner_1B = values_SB.argmax(0)[None]
        sides.append(sign * np.take_along_axis(noise_SB, winner_1B, 0)[0])
    return float((sides[0] + sides[1]).mean() / 2)


def _wins(settings: list[list[Model]], winner: int) -> float:
    values_SB = np.concatenate(
        [np.stack([_pick_epochs(models, sign)[0] for models in settings]) for sign in (1.0, -1.0)], 1
    )
    is_best_SB = values_SB >= values_SB.max(0) - EQUAL * np.abs(values_SB).max(0)
    return float((is_best_SB[winner] / is_best_SB.sum(0)).mean())


def _pick_epochs(models: list[Model], scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a setting's score (B,) when each model takes its best epoch under scaled noise, and the noise in it."""
    values_B, noise_B = 0.0, 0.0
    for model in models:
        if len(model.values_E) == 1:
            chosen_B = model.noise_BE[:, 0]
            values_B, noise_B = values_B + model.values_E[0] + scale * chosen_B, noise_B + chosen_B
            continue
        moved_BE = model.values_E + scale * model.noise_BE
        best_B1 = moved_BE.argmax(1)[:, None]
        values_B = values_B + np.take_along_axis(moved_BE, best_B1, 1)[:, 0]
        noise_B = noise_B + np.take_along_axis(model.noise_BE, best_B1, 1)[:, 0]
    return np.asarray(values_B) / len(models), np.asarray(noise_B) / len(models)


def _with_pooled_noise(settings: list[list[Model]]) -> list[list[Model]]:
    """Return the models with one variance for all candidates that may be as good as the best."""
    models = [model for models in settings for model in models]
    values_C = np.concatenate([model.values_E for model in models])
    noise_BC = np.concatenate([model.noise_BE for model in models], 1)
    best = int(values_C.argmax())
    variance_C = (noise_BC**2).mean(0)
    apart_C = np.sqrt(((noise_BC - noise_BC[:, best : best + 1]) ** 2).mean(0))
    is_near_C = values_C[best] - values_C <= NEAR * apart_C
    pooled = variance_C[is_near_C].mean()
    is_silent_C = is_near_C & (variance_C == 0)
    noise_BC[:, is_silent_C] = stream("silent noise").standard_normal((len(noise_BC), 1))
    variance_C[is_silent_C] = 1.0
    scale_C = np.ones_like(variance_C)
    np.divide(pooled, variance_C, out=scale_C, where=is_near_C & (variance_C > 0))
    noise_BC = noise_BC * np.sqrt(scale_C)
    ends = np.cumsum([len(model.values_E) for model in models])
    pieces = iter(np.split(noise_BC, ends[:-1], axis=1))
    return [[Model(model.values_E, next(pieces)) for model in each] for each in settings]
