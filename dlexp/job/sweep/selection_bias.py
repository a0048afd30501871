"""What a sweep's winner is worth once its having been picked is taken into account, from what is stored of examples."""

from dlexp.job.sweep.leaderboard import RankedSetting
from dlexp.job.train.evidence import Candidate
from dlexp.job.train.optimism import Setting, optimism_of
from dlexp.run.document import SelectionBias


def selection_bias(ranking: list[RankedSetting], metric: str) -> SelectionBias:
    """Return what picking did to the best setting's value; see `dlexp.job.train.optimism.optimism_of`.

    Args:
        ranking: The settings, best first.
        metric: The objective.
    """
    whole = []
    for ranked in ranking:
        if ranked.value is not None:
            models = [
                Candidate(each.folder, each.trial.composed.config, each.trial.dataset, each.epochs, each.value)
                for each in ranked.results
            ]
            whole.append(Setting(models, ranked.value))
    return optimism_of(whole, metric)
