"""Tree-structured Parzen estimator through Optuna, in memory: a resumed sweep asks again and tells what is known."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.strategy import Problem, Proposal, Round, Rounds, Search, Settings
from dlexp.type import Count

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class TPE(Search):
    """Tree-structured Parzen estimator: draws where good settings are denser than bad ones; needs Optuna.

    Rounds of `batch` settings are asked for and told together, so that results do not depend on which finished first.

    Args:
        trials: Settings to try.
        startup: Random settings before the model is trusted.
        batch: Settings of a round; fewer learn faster, more can be trained at once.

    References:
        J. Bergstra et al. (2011), Algorithms for hyper-parameter optimization
    """

    trials: Count = 60
    startup: Count = 10
    batch: Count = 4

    @property
    def is_total_known(self) -> bool:
        """Yes."""
        return True

    def propose(self, problem: Problem) -> Rounds:
        """Yield rounds of `batch` settings.

        Raises:
            ConfigError: Optuna is not installed.
        """
        study = self._study()
        for number, first in enumerate(range(0, self.trials, self.batch)):
            size = min(self.batch, self.trials - first)
            asked = [study.ask() for _ in range(size)]
            settings = [_suggest(trial, problem) for trial in asked]
            scores = yield Round(number + 1, [Proposal(first + i, setting) for i, setting in enumerate(settings)])
            for trial, score in zip(asked, scores, strict=True):
                _tell(study, trial, score)

    def _study(self) -> "optuna.Study":
        try:
            import optuna
        except ImportError:
            cure = "pip install 'dlexp[search]', or choose random or coarse_to_fine"
            raise ConfigError(f"search: got tpe; it needs Optuna: {cure}") from None
        optuna.logging.set_verbosity(logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=self.seed, n_startup_trials=self.startup)
        return optuna.create_study(sampler=sampler, direction="maximize")


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
