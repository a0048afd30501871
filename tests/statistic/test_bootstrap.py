"""The paired bootstrap: coverage, false alarms, power, and the normal interval it must approach."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from dlexp.statistic.bootstrap import Bootstrap, examples_needed, interval, resample
from dlexp.statistic.score import weighted


def drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def bootstrap(values_N: np.ndarray, seed: int, draws: int = 2000) -> Bootstrap:
    mean = lambda weights_BN: weights_BN @ values_N / len(values_N)  # noqa: E731
    resampled = resample([mean], len(values_N), generator=drawn(seed), draws=draws)[:, 0]
    return interval(float(values_N.mean()), resampled, len(values_N))


def test_approaches_the_normal_interval():
    values = drawn(1).normal(0.05, 1.0, 4000)
    span = bootstrap(values, 2, draws=4000)
    error = float(values.std()) / 4000**0.5
    assert span.standard_error == pytest.approx(error, rel=0.05)
    assert span.low == pytest.approx(float(values.mean()) - 1.96 * error, abs=0.1 * error)
    assert span.high == pytest.approx(float(values.mean()) + 1.96 * error, abs=0.1 * error)
    normal = 2 * (1 - NormalDist().cdf(abs(values.mean()) / error))
    assert span.p_value == pytest.approx(normal, abs=0.01)


def test_every_run_sees_the_same_resamples_in_pieces_or_at_once():
    values = drawn(3).normal(size=(2, 50))
    means = [lambda weights_BN, v=v: weights_BN @ v / 50 for v in values]
    both = resample(means, 50, generator=drawn(1), draws=40)
    assert both.shape == (40, 2)
    gap = resample([lambda weights_BN: weights_BN @ (values[0] - values[1]) / 50], 50, generator=drawn(1), draws=40)
    assert both[:, 0] - both[:, 1] == pytest.approx(gap[:, 0])
    assert resample(means, 50, generator=drawn(1), draws=40, cells=120) == pytest.approx(both)
    assert np.abs(resample(means, 50, generator=drawn(2), draws=40) - both).max() > 0.01


def test_no_difference_at_all():
    assert bootstrap(np.zeros(30), 0) == Bootstrap(0, 0, 1, 0)


def test_equal_differences_give_one_point():
    span = bootstrap(np.ones(30), 0, draws=999)
    assert (span.low, span.high, span.p_value) == (1, 1, 2 / 1000)


@pytest.mark.parametrize("unit", [1e-15, 1e-9, 1e9])
def test_the_unit_of_the_values_changes_no_p(unit):
    values = np.random.default_rng(3).normal(0.3, 1, 60)
    plain, scaled = bootstrap(values, 0), bootstrap(values * unit, 0)
    assert scaled.p_value == pytest.approx(plain.p_value, rel=1e-9)
    assert 0.001 < plain.p_value < 0.1
    ends = [plain.low * unit, plain.high * unit, plain.standard_error * unit]
    assert [scaled.low, scaled.high, scaled.standard_error] == pytest.approx(ends, rel=1e-9)


def test_what_is_the_rounding_of_large_values_is_no_difference():
    noise_B = np.random.default_rng(4).uniform(1e-13, 2e-13, 200)
    assert interval(1.5e-13, noise_B, 50).p_value < 0.05
    assert interval(1.5e-13, noise_B, 50, rounding=1e-12).p_value == 1


def test_refuses_one_example_and_an_undefined_metric():
    with pytest.raises(ValueError, match="at least two"):
        bootstrap(np.ones(1), 0)
    with pytest.raises(ValueError, match="not defined"):
        interval(1.0, np.full(9, np.nan), 9)
    with pytest.raises(ValueError, match="not defined"):
        interval(np.nan, np.ones(9), 9)
    assert interval(1.5, np.array([1.0, 2.0, np.nan]), 9) == interval(1.5, np.array([1.0, 2.0]), 9)


@pytest.mark.parametrize("sign", [1, -1])
def test_where_no_resample_crosses_zero_p_is_students_alone(sign):
    """One example makes the difference: an interval that holds zero has a p that says so, too."""
    differences = np.concatenate([np.full(1800, 1.0), np.full(200, 9.0)])
    span = interval(sign * 1.8, sign * differences, 20)
    t = 1.8 / (differences.std(ddof=1) * (20 / 19) ** 0.5)
    assert span.p_value == pytest.approx(2 * stats.t.sf(t, 19), rel=1e-9)
    assert span.p_value > 0.05
    assert span.low < 0 < span.high


def test_a_resample_without_the_metric_tells_neither_from_the_other():
    differences = np.append(np.linspace(0.1, 0.3, 95), np.full(5, np.nan))
    span, left_out = interval(0.2, differences, 20, undefined=0.0), interval(0.2, differences, 20)
    assert span.p_value == pytest.approx(2 * (1 + 5) / (1 + 100))
    assert left_out.p_value < 0.05
    assert span.low <= 0 < left_out.low
    assert (span.high, span.standard_error) == pytest.approx((left_out.high, left_out.standard_error), rel=0.01)


def test_the_wider_of_percentiles_and_students_form():
    skewed = np.concatenate([np.full(900, 1.0), np.full(100, 4.0)])
    span = interval(1.3, skewed, 10)
    error = skewed.std(ddof=1) * (10 / 9) ** 0.5
    # t_9 quantile 0.975 is 2.262157 in any table
    assert span.low == pytest.approx(1.3 - 2.262157 * error, rel=1e-6)
    assert span.high == 4.0
    assert interval(0.2, np.linspace(-0.5, 0.9, 1001), 10).p_value > 0.6
    # beyond what 1,000 resamples resolve
    assert interval(1.3, 1.3 + skewed / 100, 500).p_value < 1e-6


def simulate(seed: int, gap: float, draws: int, num: int = 150):
    """Return (draws, 3) interval and p-value of classifiers right in 0.8 and 0.8 + gap, alike on half the data."""
    print(f"seed {seed}")
    draw = drawn(seed)
    a = draw.random((draws, num)) < 0.8
    b = np.where(draw.random((draws, num)) < 0.5, a, draw.random((draws, num)) < 0.8 + 2 * gap)
    spans = [bootstrap(row, i, draws=300) for i, row in enumerate(b.astype(float) - a)]
    return np.array([[span.low, span.high, span.p_value] for span in spans])


def test_false_alarms_and_coverage():
    ends = simulate(11, 0.0, 2000)
    covers = np.mean((ends[:, 0] <= 0) & (ends[:, 1] >= 0))
    print(f"coverage {covers:.3f}, p < 0.05 in {np.mean(ends[:, 2] < 0.05):.3f}")
    assert 0.93 < covers < 0.975
    assert np.mean(ends[:, 2] < 0.05) < 0.07
    ends = simulate(12, 0.05, 2000)
    covers = np.mean((ends[:, 0] <= 0.05) & (ends[:, 1] >= 0.05))
    print(f"coverage of 0.05: {covers:.3f}")
    assert 0.93 < covers < 0.975


def test_power_rises_with_the_difference():
    rates = [float(np.mean(simulate(13, gap, 200)[:, 0] > 0)) for gap in (0.0, 0.04, 0.08)]
    assert rates[0] < 0.07 < rates[1] < rates[2]


def made(draw: np.random.Generator, kind: str, num: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return outputs and targets of a predictor with noise."""
    if kind == "values":
        targets = draw.normal(size=num)
        return targets + noise * draw.normal(size=num), targets
    targets = draw.integers(3, size=num)
    return noise * draw.normal(size=(num, 3)) + 2 * np.eye(3)[targets], targets


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rmse", "values"),
        pytest.param("log_loss", "classes", marks=pytest.mark.slow),
        pytest.param("f1_macro", "classes", marks=pytest.mark.slow),
        pytest.param("roc_auc", "classes", marks=pytest.mark.slow),
        pytest.param("r2", "values", marks=pytest.mark.slow),
    ],
)
def test_false_alarms_and_power_by_metric(name, kind):
    """Two equally noisy predictors are told apart as rarely as stated, two unequal ones often."""
    seed = 23
    print(f"seed {seed}")

    def rejections(noise: float, draws: int) -> float:
        draw, num_rejected = drawn(seed), 0
        for i in range(draws):
            outputs, targets = made(draw, kind, 200, 1.0)
            # new noise on the same targets
            fresh = noise * draw.normal(size=outputs.shape)
            other = fresh + (targets if kind == "values" else 2 * np.eye(3)[targets])
            sides = [weighted(name, side, targets) for side in (outputs, other)]
            values = resample(sides, 200, generator=drawn(i), draws=300)
            whole = np.ones((1, 200))
            seen = float(sides[0](whole)[0] - sides[1](whole)[0])
            num_rejected += interval(seen, values[:, 0] - values[:, 1], 200).p_value < 0.05
        return num_rejected / draws

    alarms = rejections(1.0, 2000)
    print(f"{name}: {alarms:.3f} false alarms")
    assert alarms < 0.066  # 3.3 standard errors above 5 %
    assert rejections(1.4, 40) > 0.6


def test_examples_needed_scales_as_the_inverse_square():
    # (1.95996 + 0.84162)^2 = 7.84888: with one standard error, 7.85 times as many examples
    assert examples_needed(0.01, 0.01, 1000) == 7849
    assert examples_needed(-0.02, 0.01, 1000) == 1963
    assert examples_needed(0.0, 0.01, 1000) is None


def test_as_many_examples_as_stated_have_the_power_stated():
    """Classifiers right in 0.8 and 0.9, independent: what a hundred examples say is needed, taken, tells in 80 %."""
    seed = 31
    print(f"seed {seed}")
    deviation = (0.8 * 0.2 + 0.9 * 0.1) ** 0.5
    num = examples_needed(0.1, deviation / 100**0.5, 100)
    assert num is not None
    draw = drawn(seed)
    gaps = (draw.random((400, num)) < 0.9).astype(float) - (draw.random((400, num)) < 0.8)
    power = np.mean([bootstrap(row, i, draws=400).low > 0 for i, row in enumerate(gaps)])
    print(f"{num} examples, power {power:.3f}")
    assert 0.73 < power < 0.87
