"""The results of a cross-validation: of one setting, of several compared, of one that an inner search chose by fold."""

import itertools
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from dlexp.config.wording import yaml_value
from dlexp.data.fact.positive import positive_fact
from dlexp.execution.description import identify
from dlexp.figure.attempt import attempt
from dlexp.job.compare.document import Pair
from dlexp.job.compare.verdict import compare_folds, fold_p_value, judge, not_judged
from dlexp.job.cv import aggregate
from dlexp.job.cv.baseline import guess_of
from dlexp.job.cv.document import Choice, CVIdentity, CVResult, CVSettingsResult, FoldSpread, SettingRecord
from dlexp.job.cv.fold_run import FoldResult
from dlexp.job.cv.nested import InnerChoice
from dlexp.job.cv.spec import CVSpec, Setting
from dlexp.job.cv.suspect import find_suspects
from dlexp.number import noun
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import plain
from dlexp.run.status import Status
from dlexp.statistic.bounded import bounds, rounding
from dlexp.statistic.spread import deviation, mean
from dlexp.type import Metrics

NO_SPREAD: FoldSpread = {"mean": {}, "std": {}, "interval": {}, "interval_corrected": {}}
PICKED = (
    "picked by these very scores, which flatters the best: cv=nested scores the picking too, and the sealed test part "
    "nothing else"
)


@dataclass(frozen=True)
class Searched:
    """What the searches inside a nested cv's folds found, and the seconds of their trainings."""

    chosen: list[InnerChoice]
    seconds: float


def conclude_cv(
    folder: RunFolder,
    spec: CVSpec,
    ends: list[FoldResult],
    *,
    is_interrupted: bool,
    has_figures: bool = True,
    searched: Searched | None = None,
) -> CVResult:
    """Write the result of one setting's cv and return it; a mean only where every fold is there.

    Args:
        folder: The cv's.
        spec: What was asked for.
        ends: Of its folds.
        is_interrupted: Whether the user wished to stop.
        has_figures: Draw figures.
        searched: What the searches inside a nested cv's folds found.
    """
    records = sorted((end.record for end in ends), key=lambda r: (r["repeat"], r["fold"], r["seed"]))
    num = len(spec.folds) * len(spec.seeds)
    complete = len(records) == num and all(Status(record["status"]).has_value for record in records)
    spread, pooled = NO_SPREAD, None
    if complete:
        spread = aggregate.summarize(records, spec.held_out)
        if aggregate.are_single(spec.folds):
            pooled = aggregate.pool_single(folder, records, spec.dataset)
            spread = aggregate.with_pooled(spread, pooled)
    result: CVResult = {
        **_identity(folder, spec),
        "metric": spec.metric,
        "status": "finished" if complete else _status([r["status"] for r in records], num, is_interrupted),
        "complete": complete,
        "folds": records,
        **spread,
        "interval_note": aggregate.INTERVAL_NOTE,
        "out_of_fold": aggregate.pool(folder, records, spec.dataset) if complete else {},
        "metrics": spread["mean"],
        "seconds": round(sum(end.seconds for end in ends) + (searched.seconds if searched else 0.0), 3),
    }
    if pooled is not None:
        result["pooled"] = list(pooled)
    if searched is not None:
        result["searches"] = [choice.record() for choice in searched.chosen]
        result["choices"] = _choices(searched.chosen)
    if complete and not spec.dataset.heads:  # folds are shown by the sum of losses, which has no guess
        result["guess"] = guess_of(spec.dataset, spec.folds, spread["mean"])
        # a model that guesses doubts every label
        is_told = spec.dataset.num_classes and spec.dataset.pairs is None and result["guess"]["is_beaten"]
        if is_told and (suspects := find_suspects(folder, spec.dataset)) is not None:
            result["suspects"] = suspects
    document: CVResult = plain(result)
    folder.write_result(document)
    if complete and has_figures:
        attempt(lambda: aggregate.draw_figures(folder, spec.dataset, document, spec.metric), folder.log)
    return document


def conclude_settings(
    folder: RunFolder,
    spec: CVSpec,
    concluded: list[tuple[Setting, CVResult]],
    *,
    is_interrupted: bool,
    has_figures: bool = True,
) -> CVSettingsResult:
    """Write the result of a cv of several settings and return it: best first, the others compared with the best.

    Args:
        folder: The cv's.
        spec: What was asked for.
        concluded: Each setting's own result.
        is_interrupted: Whether the user wished to stop.
        has_figures: Draw figures.
    """
    sign = -1.0 if spec.is_high_better else 1.0
    whole = [pair for pair in concluded if pair[1]["mean"].get(spec.metric) is not None]
    whole.sort(key=lambda pair: sign * pair[1]["mean"][spec.metric])
    others = [pair for pair in concluded if pair not in whole]
    comparisons = _comparisons(spec, [result for _, result in whole])
    verdicts = {pair["b"]: pair["verdict"] for pair in comparisons}
    complete = len(whole) == len(spec.settings) and all(result["complete"] for _, result in whole)
    statuses = [result["status"] for _, result in concluded]
    result: CVSettingsResult = {
        **_identity(folder, spec),
        "status": "finished" if complete else _status(statuses, len(spec.settings), is_interrupted),
        "complete": complete,
        "metric": spec.metric,
        "mode": "max" if spec.is_high_better else "min",
        "settings": [_setting_record(*pair, spec.metric, verdicts) for pair in [*whole, *others]],
        "picked_among": len(whole),
        "note": f"the best of {noun(len(whole), 'setting')}, {PICKED}",
        "comparisons": comparisons,
        "compared_pairs": math.comb(len(whole), 2),
        "folds": [],
        "mean": {},
        "std": {},
        "interval": {},
        "out_of_fold": {},
        "metrics": _over_settings([result["mean"][spec.metric] for _, result in whole]) if whole else {},
        "seconds": round(sum(result["seconds"] for _, result in concluded), 3),
    }
    document: CVSettingsResult = plain(result)
    folder.write_result(document)
    if has_figures and len(whole) > 1:
        attempt(lambda: aggregate.draw_settings(folder, document), folder.log)
    return document


def _over_settings(means: list[float]) -> Metrics:
    """Return best, mean, standard deviation and count, as MLflow's parent run shows them; best first."""
    values = np.array(means)
    return {
        "settings/best": means[0],
        "settings/mean": mean(values),
        "settings/std": deviation(values) if len(means) > 1 else 0.0,
        "settings/count": len(means),
    }


def _identity(folder: RunFolder, spec: CVSpec) -> CVIdentity:
    dataset = spec.dataset
    return {
        "kind": "cv",
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "task": dataset.task,
        "device": folder.manifest["device"].split()[0],
        "seed": folder.manifest["seed"],
        "own_metrics": spec.first.run.task.metrics.names,
        "seeds": spec.seeds,
        "k": len(spec.folds) // spec.repeats,
        "repeats": spec.repeats,
        "data": {
            **identify(dataset),
            "num_examples": len(dataset.dealt.train) + len(dataset.dealt.val),
            "num_test": len(dataset.test),
            **positive_fact(dataset),
        },
    }


def _status(statuses: list[str], expected: int, is_interrupted: bool) -> str:
    """Return the status of a cv that is not complete."""
    if is_interrupted and (len(statuses) < expected or "interrupted" in statuses):
        return "interrupted"
    return "failed" if "failed" in statuses or len(statuses) < expected else "diverged"


def _setting_record(setting: Setting, result: CVResult, metric: str, verdicts: dict[str, str]) -> SettingRecord:
    judged = {"a": "worse", "b": "better", "cannot tell": "cannot tell"}
    record: SettingRecord = {
        "run_id": result["run_id"],
        "run_dir": result["run_dir"],
        "status": result["status"],
        "complete": result["complete"],
        "mean": result["mean"],
        "std": result["std"],
        "interval": result["interval"],
        "interval_corrected": result["interval_corrected"],
        "seconds": result["seconds"],
        "overrides": setting.values,
        "value": result["mean"].get(metric),
        "against_best": judged.get(verdicts.get(result["run_id"], "")),
    }
    if "guess" in result:
        record["guess"] = result["guess"]
    return record


def _comparisons(spec: CVSpec, results: list[CVResult]) -> list[Pair]:
    """Compare the best setting with each other one, fold by fold, as `dlexp compare` does all.

    Which one is best was seen in the same folds, so Holm's correction counts every pair of settings. Over the pairs
    with the best alone, one of 10 equal settings is called worse in 12 % of tables: see
    `benchmarks.statistic.against_best`.
    """
    tables = [np.array(_scores(result, spec.metric)) for result in results]
    num_pairs, limits = math.comb(len(results), 2), bounds(spec.metric)
    pairs = []
    for result, table in zip(results[1:], tables[1:], strict=True):
        sides = results[0]["run_id"], result["run_id"]
        slack = rounding(limits, tables[0], table)
        pairs.append(not_judged(*sides, compare_folds(tables[0] - table, spec.held_out, num_pairs, rounding=slack)))
    if pairs:
        rest = [
            fold_p_value(a - b, spec.held_out, rounding=rounding(limits, a, b))
            for a, b in itertools.combinations(tables[1:], 2)
        ]
        judge(pairs, is_high_better=spec.is_high_better, other_p_values=rest)
    return pairs


def _scores(result: CVResult, metric: str) -> list[float]:
    """Return the mean over seeds of each fold."""
    return [
        mean([record["metrics"][metric] for record in records])
        for records in aggregate.by_fold(result["folds"]).values()
    ]


def _choices(chosen: list[InnerChoice]) -> list[Choice]:
    """Return how often each setting was chosen, the most frequent first."""
    settings = [choice.setting.values for choice in chosen if choice.setting is not None]
    counts = Counter(yaml_value(values) for values in settings)
    by_text = {yaml_value(values): values for values in settings}
    return [{"overrides": by_text[text], "count": count} for text, count in counts.most_common()]
