"""The result of a sweep: its trials, the winner and what it is worth, as ``--json`` prints them."""

import statistics

from dlexp.data.fact.guess import guess
from dlexp.data.fact.positive import positive_fact
from dlexp.diagnose.trained import first_lines
from dlexp.error import DlexpError
from dlexp.execution.aside import call
from dlexp.job.sweep.document import ON_TIMING, SweepResult, TrialRecord
from dlexp.job.sweep.importance import importance
from dlexp.job.sweep.leaderboard import RankedSetting, command, edges
from dlexp.job.sweep.loop import SearchLoop
from dlexp.job.sweep.selection_bias import selection_bias
from dlexp.job.sweep.spec import SweepSpec
from dlexp.job.train.baseline import no_better_than_guessing
from dlexp.launcher.launcher import Launcher
from dlexp.number import noun
from dlexp.run.folder import RunFolder
from dlexp.statistic.spread import deviation


def summarize(
    spec: SweepSpec, folder: RunFolder, loop: SearchLoop, ranking: list[RankedSetting], seconds: float
) -> SweepResult:
    """Return what ``--json`` prints."""
    best = ranking[0] if ranking and ranking[0].value is not None else None
    status = "interrupted" if loop.why == "interrupted" else "stopped_early" if loop.why else "finished"
    result: SweepResult = {
        "kind": "sweep",
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "status": "failed" if best is None and status != "interrupted" else status,
        "strategy": spec.composed.choices["search"],
        "metric": spec.metric,
        "mode": "max" if spec.is_high_better else "min",
        "trials": _trials(spec, loop),
        "guess": guess(spec.first.dataset),
        **positive_fact(spec.first.dataset),
        "best": None,
        "metrics": {},
        "importances": {},
        "groups": loop.trials.programs,
        "moves": loop.notes,
        "seconds": round(seconds, 3),
    }
    if loop.depends_on_timing:
        result["depends_on_timing"] = True
    if best is not None:
        winner = best.results[0]  # of several seeds the first: the best of them would be luck
        result["best"] = {
            **winner.record(),
            "overrides": best.settings,
            "value": best.value,
            "std": best.std,
            "seeds": len(best.results),
            "ties": sum(ranked.is_tied for ranked in ranking),
            "edges": edges(best, spec.space.dimensions, ranking),
            "command": command(best),
            **selection_bias(ranking, spec.metric),
        }
        result["metrics"] = _summary(ranking)
        weighed = importance(ranking, spec.space.dimensions, is_high_better=spec.is_high_better)
        result["importances"], result["importances_note"] = weighed.shares, weighed.note
    return result


def beside_a_guess(ranking: list[RankedSetting], result: SweepResult) -> list[str]:
    """Return a line for the user where the best setting cannot be told from a guess.

    Its metrics are means over seeds; the one that it was picked by is corrected for that where it can be.
    """
    best = result["best"]
    if best is None:
        return []
    of_seeds = ranking[0].results
    shared = set.intersection(*(set(trial.metrics) for trial in of_seeds))
    means = {name: statistics.fmean(trial.metrics[name] for trial in of_seeds) for name in shared}
    if "corrected" in best:
        means[result["metric"]] = best["corrected"]
    line = no_better_than_guessing(of_seeds[0].trial.dataset, means)
    return [f"the best setting's {line}"] if line else []


def why(ranking: list[RankedSetting], guessing: list[str], launcher: Launcher) -> list[str]:
    """Return the first finding on why the best setting is a guess, or why all diverged; none where no rule says."""
    first = ranking[0].results[0] if ranking else None
    if first is None or not (guessing or (ranking[0].value is None and first.status == "diverged")):
        return []
    whose = "the best setting" if guessing else "the first setting"
    try:
        lines = call(first_lines, launcher, first.trial.components, first.folder.path)
    except DlexpError as error:
        lines = [f"why could not be looked into: {error}"]
    return [f"{whose}: {line}" for line in lines]


def is_a_guess(ranked: RankedSetting) -> bool:
    """Say whether the mean of a setting's scores over its seeds cannot be told from a guess."""
    trials = ranked.results
    floors = guess(trials[0].trial.dataset)
    scores = {name: [trial.metrics[name] for trial in trials if name in trial.metrics] for name in floors}
    means = {name: statistics.fmean(values) for name, values in scores.items() if values}
    return bool(no_better_than_guessing(trials[0].trial.dataset, means))


def _summary(ranking: list[RankedSetting]) -> dict[str, float]:
    """Return best, mean, standard deviation and count over the settings, as MLflow's parent run shows them."""
    values = [s.value for s in ranking if s.value is not None]
    std = deviation(values) if len(values) > 1 else 0.0
    return {
        "sweep/best": values[0],
        "sweep/mean": statistics.fmean(values),
        "sweep/std": std,
        "sweep/count": len(values),
    }


def _trials(spec: SweepSpec, loop: SearchLoop) -> list[TrialRecord]:
    """Return the records of all trials in the order asked, those that could not be trained among them."""
    records = [trial.record() for trial in loop.in_order()] + [setting.record() for setting in spec.invalid]
    return sorted(records, key=lambda record: record["number"])


def notes_of(loop: SearchLoop, again: str) -> list[str]:
    """Return what the user should know of how a search went.

    Args:
        loop: That ended.
        again: The command that goes on with it.
    """
    notes = [ON_TIMING] if loop.depends_on_timing else []
    if loop.why:
        cure = f"go on with: {again}" if loop.why == "interrupted" else "raise the limit and give the command again"
        notes.append(f"{loop.why}: {noun(len(loop.results), 'trial')} kept; {cure}")
    return notes
