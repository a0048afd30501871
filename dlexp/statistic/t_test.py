"""Student's t over folds or seeds, corrected for differences on shared data."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special  # imports in a quarter of the time of scipy.stats

from dlexp.number import noun
from dlexp.statistic.spread import EQUAL

MOST_RUNS = 10_000


@dataclass(frozen=True)
class TTest:
    """Outcome of a paired t-test.

    Attributes:
        mean: Mean difference.
        low: Lower end of its interval; NaN where the differences have no spread to judge by.
        high: Upper end.
        p_value: Two-sided; NaN as `low`, or 1 where every difference is zero.
        effect: Mean over standard deviation of the differences (Cohen's d_z); NaN without spread.
        num: Differences.
    """

    mean: float
    low: float
    high: float
    p_value: float
    effect: float
    num: int


def corrected_t_test(
    differences: np.ndarray, test_to_train: float, level: float = 0.95, *, rounding: float = 0.0
) -> TTest:
    """Test whether the mean of J paired differences over resampled training and test parts is zero.

    t = mean / (s sqrt(1/J + n_test / n_train)) on J - 1 degrees of freedom. The second term stands for the covariance
    of differences whose training parts overlap; with 0 this is the paired t-test, right for independent differences.

    Args:
        differences: (J,) metric of the first minus that of the second, by fold and repeat.
        test_to_train: n_test / n_train, 1 / (k - 1) for k folds.
        level: Of the interval.
        rounding: What a difference may be off by, from the size of the values that it lies between: see
            `dlexp.statistic.bounded.rounding`. At the least a share of 1e-12 of the largest difference.

    Raises:
        ValueError: Fewer than two differences.

    References:
        C. Nadeau, Y. Bengio (2003), Inference for the Generalization Error, Machine Learning 52, section 5.
    """
    mean, std = _mean_and_std(differences)
    num = len(differences)
    # Equal differences differ by rounding only: their deviation says nothing.
    slack = max(rounding, EQUAL * float(np.abs(differences).max()))
    mean = 0.0 if abs(mean) <= slack else mean  # differences that cancel leave a rest of rounding
    if std <= slack:
        p_value = math.nan if mean else 1.0
        end = 0.0 if p_value == 1.0 else math.nan
        return TTest(mean, end, end, p_value, math.nan, num)
    error = std * math.sqrt(1 / num + test_to_train)
    reach = float(special.stdtrit(num - 1, (1 + level) / 2)) * error
    p_value = 2 * float(special.stdtr(num - 1, -abs(mean) / error))
    return TTest(mean, mean - reach, mean + reach, p_value, mean / std, num)


def differences_needed(effect: float, test_to_train: float, *, level: float = 0.95, power: float = 0.8) -> int | None:
    """Return the smallest J for which `corrected_t_test` finds an effect of this size with this power.

    The power is that of the noncentral t with delta = effect / sqrt(1/J + n_test / n_train), J - 1 degrees of freedom.

    Args:
        effect: Mean over standard deviation of the differences.
        test_to_train: As in `corrected_t_test`.
        level: 1 minus the share of false alarms.
        power: Share of true effects that are to be found.

    Returns:
        None where 10,000 would not do, as the correction leaves a floor that no number of repeats goes below.
    """
    if not effect or math.isnan(effect):
        return None
    # the power rises with J: look for the first that suffices by halving
    low, high = 2, MOST_RUNS
    if _power(effect, high, test_to_train, level) < power:
        return None
    while low < high:
        middle = (low + high) // 2
        is_enough = _power(effect, middle, test_to_train, level) >= power
        low, high = (low, middle) if is_enough else (middle + 1, high)
    return low


def _power(effect: float, num: int, test_to_train: float, level: float) -> float:
    delta = abs(effect) / math.sqrt(1 / num + test_to_train)
    # Beyond 30 the noncentral t is far above any quantile of interest, and scipy's series slow.
    quantile = special.stdtrit(num - 1, (1 + level) / 2)
    return 1 - float(special.nctdtr(num - 1, min(delta, 30.0), quantile))


def _mean_and_std(values: np.ndarray) -> tuple[float, float]:
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        raise ValueError(f"got {noun(len(values), 'value')}; at least two are needed for a spread")
    return float(values.mean()), float(values.std(ddof=1))
