"""Grid search: every combination of the listed values."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from dlexp.error import ConfigError
from dlexp.number import noun
from dlexp.search.distinct import every, size
from dlexp.search.strategy import ROUND, Problem, Proposal, Round, Rounds, Search, Settings
from dlexp.type import Count

MOST = 1_000_000  # settings that are accepted unless the user says so


@dataclass(frozen=True)
class Grid(Search):
    """Every combination of the listed values, the last key changing fastest.

    Args:
        trials: Most settings that are accepted; null for a million.
    """

    trials: Count | None = None

    def propose(self, problem: Problem) -> Rounds:
        """Yield the combinations as one round, `ROUND` at a time.

        Raises:
            ConfigError: A dimension is an interval, or there are too many combinations.
        """
        settings, total = combinations(problem), size(problem)
        if total > (self.trials or MOST):
            accepted = self.trials or f"null, which is {MOST:,} at most"
            raise ConfigError(
                f"search.trials: got {accepted}; the grid has {noun(total, 'setting')}: raise it, list fewer "
                "values or choose search=random"
            )
        proposals = itertools.starmap(Proposal, enumerate(settings))
        while batch := list(itertools.islice(proposals, ROUND)):
            yield Round(1, batch)

    def total(self, problem: Problem) -> int:
        """Return the number of combinations."""
        return int(size(problem))


def combinations(problem: Problem) -> Iterator[Settings]:
    """Return the settings of a grid; a dimension multiplies those settings only in which it exists.

    Raises:
        ConfigError: A dimension is an interval.
    """
    for d in problem.dimensions:
        if d.values is None:
            cure = f"list values ({d.key}=a,b) or choose search=random or search=coarse_to_fine"
            raise ConfigError(f"{d.key}: got {d.text.partition('=')[2]}; search=grid needs listed values: {cure}")
    return every({}, problem.dimensions)
