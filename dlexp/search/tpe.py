"""Tree-structured Parzen estimator through Optuna, in memory: a resumed sweep asks again and tells what is known."""

import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.distinct import ATTEMPTS, distinct, size, unseen
from dlexp.search.random import independently
from dlexp.search.strategy import Adviser, Problem, Proposal, Round, Rounds, Search, Settings, signature
from dlexp.type import Count

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class TPE(Search):
    """Tree-structured Parzen estimator: draws where good settings are denser than bad ones; needs Optuna.

    Rounds of `batch` settings are asked for and told together, so that results do not depend on which finished first.
    A setting that was asked for before is drawn again.

    Args:
        trials: Settings to try.
        startup: Random settings before the model is trusted.
        batch: Settings of a round; fewer learn faster, more can be trained at once.
        asynchronous: Whether a free worker takes a setting drawn from all that ended by then, each trained by itself,
            in the place of rounds: which settings are tried then depends on which trainings ended first.

    References:
        J. Bergstra et al. (2011), Algorithms for hyper-parameter optimization
    """

    trials: Count = 60
    startup: Count = 10
    batch: Count = 4
    asynchronous: bool = False

    def adviser(self, problem: Problem) -> Adviser | None:
        """Return what draws a setting whenever it is asked; None where rounds of `batch` are drawn.

        Raises:
            ConfigError: Optuna is not installed.
        """
        if not self.asynchronous:
            return None
        study = self._study()
        return _Adviser(study, _new(study, problem, self.seed, set()), self.trials)

    def total(self, problem: Problem) -> int:
        """Return `trials`, or all settings of a space that has fewer."""
        return int(min(self.trials, size(problem)))

    def propose(self, problem: Problem) -> Rounds:
        """Yield rounds of `batch` settings.

        Raises:
            ConfigError: Optuna is not installed.
        """
        study, seen = self._study(), set[str]()
        for number, first in enumerate(range(0, self.trials, self.batch)):
            size = min(self.batch, self.trials - first)
            suggested = list(itertools.islice(_new(study, problem, self.seed, seen), size))
            if not suggested:
                return
            scores = yield Round(number + 1, [Proposal(first + i, setting) for i, (_, setting) in enumerate(suggested)])
            for (trial, _), score in zip(suggested, scores, strict=True):
                _tell(study, trial, score)

    def _study(self) -> "optuna.Study":
        try:
            import optuna
        except ImportError:
            cure = "pip install 'dlexp[search]', or choose random or coarse_to_fine"
            raise ConfigError(f"search: got tpe; it needs Optuna: {cure}") from None
        optuna.logging.set_verbosity(logging.WARNING)
        # numpy's generator, which Optuna draws from, takes seeds of 32 bits
        sampler = optuna.samplers.TPESampler(seed=self.seed % 2**32, n_startup_trials=self.startup)
        return optuna.create_study(sampler=sampler, direction="maximize")


class _Adviser:
    """Draws a setting from all that was told by then."""

    def __init__(self, study: "optuna.Study", fresh: "Iterator[tuple[optuna.Trial, Settings]]", trials: int) -> None:
        self._study, self._fresh = study, itertools.islice(fresh, trials)
        self._in_hand: dict[int, optuna.Trial] = {}
        self._count = 0

    def ask(self) -> Round | None:
        """Return the next setting; None when all were drawn."""
        for trial, setting in self._fresh:
            number, self._count = self._count, self._count + 1
            self._in_hand[number] = trial
            return Round(1, [Proposal(number, setting)])
        return None

    def tell(self, proposal: Proposal, score: float | None) -> None:
        """Tell a score, higher is better, None for a failure."""
        _tell(self._study, self._in_hand.pop(proposal.number), score)


def _new(
    study: "optuna.Study", problem: Problem, seed: int, seen: set[str]
) -> "Iterator[tuple[optuna.Trial, Settings]]":
    """Yield trials whose settings differ from all before, until a finite space has no more.

    Where the sampler insists on what was tried, such as the option that has no other dimension, a setting is taken from
    those that are left, or drawn as random search draws it where they cannot be listed.
    """
    misses = 0
    while True:
        if misses == ATTEMPTS:
            left = unseen(problem, seen, 1) or [
                drawn.settings
                for drawn in distinct(problem, independently(problem, seed), 1, first=len(seen), seen=set(seen))
            ]
            if not left:
                return
            study.enqueue_trial({d.key: _code(d, left[0][d.key]) for d in problem.active(left[0])})
        trial = study.ask()
        setting = _suggest(trial, problem)
        if signature(setting) in seen:
            misses += 1
            _tell(study, trial, None)
        else:
            misses = 0
            seen.add(signature(setting))
            yield trial, setting


def _code(d: Dimension, value: Any) -> Any:
    """Return what Optuna knows a value as: a listed one by its place."""
    return value if d.values is None else [repr(listed) for listed in d.values].index(repr(value))


def _tell(study: "optuna.Study", trial: "optuna.Trial", score: float | None) -> None:
    from optuna.trial import TrialState

    if score is None:  # told as it is: a NaN would fail the trial in silence
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, score)


def _suggest(trial: "optuna.Trial", problem: Problem) -> Settings:
    setting: Settings = {}
    for d in problem.dimensions:
        if d.exists(setting):
            setting[d.key] = _value(trial, d)
    return setting


def _value(trial: "optuna.Trial", d: Dimension) -> Any:
    if d.values is not None:
        return d.values[trial.suggest_categorical(d.key, list(range(len(d.values))))]
    if d.is_int:
        return trial.suggest_int(d.key, int(d.low), int(d.high), log=d.is_log)
    return trial.suggest_float(d.key, d.low, d.high, log=d.is_log)
