"""The searches of a nested cross-validation: in each fold's training part, inner folds score the settings.

Every inner training has its own normalisation, class weights and seed, as any fold has; what the outer fold holds out
takes no part. The winner is trained anew on the whole outer training part, for as many epochs as it was scored with.
The searches of all folds advance together, so that their inner trainings can share programs.
"""

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dlexp.build.dataset import deal_inner
from dlexp.data.fold import Fold
from dlexp.execution.dispatcher import Dispatcher
from dlexp.job.cv.document import SearchRecord, TriedSetting
from dlexp.job.cv.fold_run import FoldEpoch, FoldResult, FoldRun, configure, nobody, train_fold_runs
from dlexp.job.cv.spec import CVSpec, InnerSearch, Setting, setting
from dlexp.run.folder import RunFolder
from dlexp.run.status import Status
from dlexp.search.strategy import Proposal, Strategy
from dlexp.statistic.spread import deviation


@dataclass(frozen=True)
class InnerChoice:
    """What the search inside one fold chose.

    Attributes:
        fold: The outer fold.
        setting: The winner; None where no setting could be scored.
        value: Its mean over inner folds and seeds.
        tried: Every setting with `number`, `overrides`, `value` and `std` over the inner folds, best first.
    """

    fold: Fold
    setting: Setting | None
    value: float | None
    tried: list[TriedSetting]

    def record(self) -> SearchRecord:
        """Return it as a cv's result has it."""
        values = None if self.setting is None else self.setting.values
        return {
            "repeat": self.fold.repeat,
            "fold": self.fold.fold,
            "chosen": values,
            "value": self.value,
            "tried": self.tried,
        }


@dataclass
class FoldSearch:
    """One fold's search, as far as it has come."""

    fold: Fold
    inner_folds: list[Fold]
    strategy: Strategy
    tried: dict[int, tuple[Proposal, list[float]]] = field(default_factory=dict)


def search(
    spec: CVSpec, cv: RunFolder, dispatcher: Dispatcher, hear: Callable[[FoldEpoch], None] = nobody
) -> Iterator[FoldResult | InnerChoice]:
    """Search inside every fold; yield the inner trainings as they end, then what each fold's search chose.

    Nothing is chosen when the dispatcher was told to stop. `hear` is called with each epoch.
    """
    inner = spec.inner
    assert inner is not None
    fold_searches = []
    for fold in spec.folds:
        dealt = [
            Fold(fold.repeat, fold.fold, each.train, each.val) for each in deal_inner(spec.config, spec.dataset, fold)
        ]
        fold_searches.append(FoldSearch(fold, dealt, Strategy(inner.search.propose(inner.problem))))
    while waiting := [fold_search for fold_search in fold_searches if fold_search.strategy.ask() is not None]:
        fold_runs = [fold_run for fold_search in waiting for fold_run in _fold_runs(spec, inner, cv, fold_search)]
        ends: dict[tuple[Any, ...], FoldResult] = {}
        for end in train_fold_runs(fold_runs, spec.dataset, dispatcher, hear, is_retrying=inner.search.retry_failed):
            ends[end.fold_run.place] = end
            yield end
        if len(ends) < len(fold_runs):
            return
        for fold_search in waiting:
            _advance(spec, fold_search, ends)
    for fold_search in fold_searches:
        yield _choose(spec, inner, fold_search)


def is_retrying(cv: RunFolder) -> bool:
    """Say whether a cv has inner trainings that failed and are to be trained again."""
    search = cv.config.get("search") or {}
    manifests = (child.manifest for child in cv.children()) if search.get("retry_failed") else ()
    return any(manifest["kind"] == "trial" and manifest["status"] == Status.FAILED for manifest in manifests)


def winners(spec: CVSpec, cv: RunFolder, chosen: list[InnerChoice]) -> list[FoldRun]:
    """Return what is left to train: each fold's winner on the fold's whole training part."""
    return [
        FoldRun(
            cv, choice.fold, seed, configure(choice.setting.config, choice.fold, seed), params=choice.setting.values
        )
        for choice in chosen
        if choice.setting is not None
        for seed in spec.seeds
    ]


def _fold_runs(spec: CVSpec, inner: InnerSearch, cv: RunFolder, fold_search: FoldSearch) -> list[FoldRun]:
    round_ = fold_search.strategy.ask()
    assert round_ is not None
    proposals = round_.proposals
    if inner.search.invalid == "skip":
        proposals, _ = inner.validity.partition(proposals, round_.number)
    fold_runs = []
    for proposal in proposals:
        tried = setting(inner.space, proposal.settings, proposal.epochs)
        for seed in spec.seeds:
            for number, fold in enumerate(fold_search.inner_folds):
                config = configure(tried.config, fold, seed, inner=number)
                fold_runs.append(FoldRun(cv, fold, seed, config, number, proposal.number, tried.values))
    return fold_runs


def _advance(spec: CVSpec, fold_search: FoldSearch, ends: dict[tuple[Any, ...], FoldResult]) -> None:
    """Tell the strategy how its proposals did; a setting with a failed training has no score."""
    round_ = fold_search.strategy.ask()
    assert round_ is not None
    sign = 1.0 if spec.is_high_better else -1.0
    scores: list[float | None] = []
    for proposal in round_.proposals:
        values = _values(spec, fold_search, proposal, ends)
        fold_search.tried[proposal.number] = proposal, values
        scores.append(sign * statistics.fmean(values) if values else None)
    fold_search.strategy.tell(scores)


def _values(
    spec: CVSpec, fold_search: FoldSearch, proposal: Proposal, ends: dict[tuple[Any, ...], FoldResult]
) -> list[float]:
    """Return the scores of one proposal; none where one of its trainings has none."""
    values = []
    for seed in spec.seeds:
        for number in range(len(fold_search.inner_folds)):
            end = ends.get((fold_search.fold.repeat, fold_search.fold.fold, seed, number, proposal.number))
            record = None if end is None else end.record
            value = record["metrics"].get(spec.metric) if record and Status(record["status"]).has_value else None
            if value is None or not math.isfinite(value):
                return []
            values.append(value)
    return values


def _choose(spec: CVSpec, inner: InnerSearch, fold_search: FoldSearch) -> InnerChoice:
    sign = -1.0 if spec.is_high_better else 1.0
    scored = sorted(
        ((sign * statistics.fmean(values), number) for number, (_, values) in fold_search.tried.items() if values)
    )
    unscored = [number for number, (_, values) in fold_search.tried.items() if not values]
    tried = [_record(*fold_search.tried[number]) for number in [*(number for _, number in scored), *unscored]]
    if not scored:
        return InnerChoice(fold_search.fold, None, None, tried)
    proposal, values = fold_search.tried[scored[0][1]]
    best = setting(inner.space, proposal.settings, proposal.epochs)
    return InnerChoice(fold_search.fold, best, statistics.fmean(values), tried)


def _record(proposal: Proposal, values: list[float]) -> TriedSetting:
    return {
        "number": proposal.number,
        "overrides": proposal.settings,
        "value": statistics.fmean(values) if values else None,
        "std": deviation(values) if len(values) > 1 else None,
    }
