"""Grid search: every combination of the listed values."""

from dataclasses import dataclass

from dlexp.error import ConfigError
from dlexp.search.strategy import Problem, Proposal, Round, Rounds, Search, Settings
from dlexp.type import Count


@dataclass(frozen=True)
class Grid(Search):
    """Every combination of the listed values, the last key changing fastest.

    Args:
        trials: Most settings that are accepted; null for no limit.
    """

    trials: Count | None = None

    def propose(self, problem: Problem) -> Rounds:
        """Yield all combinations as one round.

        Raises:
            ConfigError: A dimension is an interval, or there are too many combinations.
        """
        settings = combinations(problem)
        if self.trials is not None and len(settings) > self.trials:
            raise ConfigError(
                f"search.trials: got {self.trials}; the grid has {len(settings):,} settings: raise it, list fewer "
                "values or choose search=random"
            )
        yield Round(1, [Proposal(number, setting) for number, setting in enumerate(settings)])


def combinations(problem: Problem) -> list[Settings]:
    """Return the settings of a grid; a dimension multiplies those settings only in which it exists.

    Raises:
        ConfigError: A dimension is an interval.
    """
    for d in problem.dimensions:
        if d.values is None:
            cure = f"list values ({d.key}=a,b) or choose search=random or search=coarse_to_fine"
            raise ConfigError(f"{d.key}: got {d.text.partition('=')[2]}; search=grid needs listed values: {cure}")
    settings: list[Settings] = [{}]
    for d in problem.dimensions:
        values = d.values or []
        settings = [more for s in settings for more in ([{**s, d.key: v} for v in values] if d.exists(s) else [s])]
    return settings
