"""Random search: independent draws, uniform on the scale of each dimension."""

from collections.abc import Callable
from dataclasses import dataclass

from dlexp.search.distinct import in_rounds, size
from dlexp.search.strategy import Problem, Round, Rounds, Search, Settings, uniform
from dlexp.type import Count

FEWEST_POINTS = 64  # of a Sobol sequence that are drawn at once


@dataclass(frozen=True)
class Random(Search):
    """Independent draws, uniform in each interval or its logarithm.

    The first n settings are the same for every number of trials: a longer search goes on from a shorter one.

    Args:
        trials: Settings to try.
        sobol: Whether the draws are a scrambled Sobol sequence, which fills the space more evenly.

    References:
        J. Bergstra and Y. Bengio (2012), Random search for hyper-parameter optimization
    """

    trials: Count = 60
    sobol: bool = False

    def propose(self, problem: Problem) -> Rounds:
        """Yield all draws as one round, `ROUND` at a time."""
        draw = evenly(problem, self.seed) if self.sobol else independently(problem, self.seed)
        for proposals in in_rounds(problem, draw, self.trials):
            yield Round(1, proposals)

    def total(self, problem: Problem) -> int:
        """Return `trials`, or all settings of a space that has fewer."""
        return int(min(self.trials, size(problem)))


def independently(problem: Problem, seed: int) -> Callable[[int], Settings]:
    """Return what draws the setting of a number, each by itself."""
    return lambda number: place(problem, lambda key: uniform(seed, number, key))


def evenly(problem: Problem, seed: int) -> Callable[[int], Settings]:
    """Return what draws the setting of a number from a scrambled Sobol sequence, which goes on as long as asked.

    References:
        A. B. Owen (1998), Scrambling Sobol' and Niederreiter-Xing points
    """
    from scipy.stats import qmc

    columns = {d.key: i for i, d in enumerate(problem.dimensions)}
    sequence = qmc.Sobol(max(len(columns), 1), scramble=True, rng=seed)
    points = list(sequence.random(FEWEST_POINTS))

    def draw(number: int) -> Settings:
        while number >= len(points):
            points.extend(sequence.random(len(points)))
        return place(problem, lambda key: float(points[number][columns[key]]))

    return draw


def place(problem: Problem, position: Callable[[str], float]) -> Settings:
    """Return the setting at the position in [0, 1) of each dimension."""
    setting: Settings = {}
    for d in problem.dimensions:
        if d.exists(setting):
            setting[d.key] = d.value(position(d.key))
    return setting
