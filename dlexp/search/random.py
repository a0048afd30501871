"""Random search: independent draws, uniform on the scale of each dimension."""

from collections.abc import Callable
from dataclasses import dataclass

from dlexp.search.strategy import Problem, Proposal, Round, Rounds, Search, Settings, signature, uniform
from dlexp.type import Count

ATTEMPTS = 50  # draws for a new setting before a small space counts as exhausted


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
        """Yield all draws as one round."""
        position = _sobol(problem, self.seed, self.trials) if self.sobol else _independent(self.seed)
        yield Round(1, distinct(problem, position, self.trials))


def distinct(
    problem: Problem,
    position: Callable[[int, str], float],
    count: int,
    *,
    first: int = 0,
    seen: set[str] | None = None,
    epochs: int | None = None,
) -> list[Proposal]:
    """Return up to `count` settings that differ; fewer when a space of listed values has no more.

    Args:
        problem: What is searched.
        position: Returns the position in [0, 1) of a draw by its number and the dimension's key.
        count: Settings wanted.
        first: Number of the first draw.
        seen: Signatures that are not drawn again; the new ones are added.
        epochs: Length of their training.
    """
    seen = set() if seen is None else seen
    found: list[Proposal] = []
    number, misses = first, 0
    while len(found) < count and misses < ATTEMPTS:
        setting = draw(problem, lambda key, n=number: position(n, key))
        name = signature(setting)
        if name in seen:
            misses += 1
        else:
            misses = 0
            seen.add(name)
            found.append(Proposal(number, setting, epochs))
        number += 1
    return found


def draw(problem: Problem, position: Callable[[str], float]) -> Settings:
    """Return a setting from the position in [0, 1) of each dimension."""
    setting: Settings = {}
    for d in problem.dimensions:
        if d.exists(setting):
            setting[d.key] = d.value(position(d.key))
    return setting


def _independent(seed: int) -> Callable[[int, str], float]:
    return lambda number, key: uniform(seed, number, key)


def _sobol(problem: Problem, seed: int, trials: int) -> Callable[[int, str], float]:
    from scipy.stats import qmc

    columns = {d.key: i for i, d in enumerate(problem.dimensions)}
    power = max(1, (2 * trials + ATTEMPTS).bit_length())
    points = qmc.Sobol(max(len(columns), 1), scramble=True, rng=seed).random_base2(power)
    return lambda number, key: float(points[number, columns[key]])
