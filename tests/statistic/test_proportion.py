import pytest
from statsmodels.stats.proportion import proportion_confint

from dlexp.statistic.proportion import wilson


@pytest.mark.parametrize(("hits", "num"), [(0, 1), (1, 1), (350, 359), (3, 7), (0, 40), (500, 1000)])
def test_equals_statsmodels(hits, num):
    assert wilson(hits / num, num) == pytest.approx(proportion_confint(hits, num, method="wilson"), abs=1e-7)


def test_the_figures_of_a_classifier_of_digits():
    assert [round(100 * end, 1) for end in wilson(350 / 359, 359)] == [95.3, 98.7]
