"""The searches of a nested cross-validation: in each fold's training part, inner folds score the settings.

Every inner training has its own normalisation, class weights and seed, as any fold has; what the outer fold holds out
takes no part. The winner is trained anew on the whole outer training part, for as many epochs as it was scored with.
The searches of all folds advance together, so that their inner trainings can share programs.
"""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dlexp.build.dataset import deal_inner
from dlexp.data.fold import Fold
from dlexp.execution.dispatcher import Crew
from dlexp.job.cv.fold_run import Cell, FoldEnd, configure, train_cells
from dlexp.job.cv.spec import Design, Inner, Setting, setting
from dlexp.run.folder import RunFolder
from dlexp.search.strategy import Proposal, Round, Rounds

WHOLE = ("finished", "stopped_early")


@dataclass(frozen=True)
class Chosen:
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
    tried: list[dict[str, Any]]

    def record(self) -> dict[str, Any]:
        """Return it as a cv's result has it."""
        values = None if self.setting is None else self.setting.values
        about = {"repeat": self.fold.repeat, "fold": self.fold.fold, "chosen": values, "value": self.value}
        return {**about, "tried": self.tried}


@dataclass
class _Quest:
    """One fold's search, as far as it has come."""

    fold: Fold
    inner_folds: list[Fold]
    rounds: Rounds
    asked: Round | None
    tried: dict[int, tuple[Proposal, list[float]]] = field(default_factory=dict)


def search(design: Design, cv: RunFolder, crew: Crew) -> Iterator[FoldEnd | Chosen]:
    """Search inside every fold; yield the inner trainings as they end, then what each fold's search chose.

    Nothing is chosen when the crew was told to stop.
    """
    inner = design.inner
    assert inner is not None
    quests = []
    for fold in design.folds:
        rounds = inner.search.propose(inner.problem)
        dealt = [
            Fold(fold.repeat, fold.fold, each.train, each.val)
            for each in deal_inner(design.config, design.dataset, fold)
        ]
        quests.append(_Quest(fold, dealt, rounds, next(rounds, None)))
    while waiting := [quest for quest in quests if quest.asked is not None]:
        cells = [cell for quest in waiting for cell in _cells(design, inner, cv, quest)]
        ends: dict[tuple[Any, ...], FoldEnd] = {}
        for end in train_cells(cells, design.dataset, crew):
            ends[end.cell.place] = end
            yield end
        if len(ends) < len(cells):
            return
        for quest in waiting:
            _advance(design, quest, ends)
    for quest in quests:
        yield _choose(design, inner, quest)


def winners(design: Design, cv: RunFolder, chosen: list[Chosen]) -> list[Cell]:
    """Return what is left to train: each fold's winner on the fold's whole training part."""
    return [
        Cell(cv, one.fold, seed, configure(one.setting.config, one.fold, seed), params=one.setting.values)
        for one in chosen
        if one.setting is not None
        for seed in design.seeds
    ]


def _cells(design: Design, inner: Inner, cv: RunFolder, quest: _Quest) -> list[Cell]:
    assert quest.asked is not None
    proposals = quest.asked.proposals
    if inner.search.invalid == "skip":
        proposals, _ = inner.sieve.sift(proposals, quest.asked.number)
    found = []
    for proposal in proposals:
        tried = setting(inner.space, proposal.settings, proposal.epochs)
        for seed in design.seeds:
            for number, fold in enumerate(quest.inner_folds):
                config = configure(tried.config, fold, seed, inner=number)
                found.append(Cell(cv, fold, seed, config, number, proposal.number, tried.values))
    return found


def _advance(design: Design, quest: _Quest, ends: dict[tuple[Any, ...], FoldEnd]) -> None:
    """Tell the strategy how its proposals did; a setting with a failed training has no score."""
    assert quest.asked is not None
    sign = 1.0 if design.is_high_better else -1.0
    scores: list[float | None] = []
    for proposal in quest.asked.proposals:
        values = _values(design, quest, proposal, ends)
        quest.tried[proposal.number] = proposal, values
        scores.append(sign * statistics.fmean(values) if values else None)
    try:
        quest.asked = quest.rounds.send(scores)
    except StopIteration:
        quest.asked = None


def _values(design: Design, quest: _Quest, proposal: Proposal, ends: dict[tuple[Any, ...], FoldEnd]) -> list[float]:
    """Return the scores of one proposal; none where one of its trainings has none."""
    found = []
    for seed in design.seeds:
        for number in range(len(quest.inner_folds)):
            end = ends.get((quest.fold.repeat, quest.fold.fold, seed, number, proposal.number))
            record = {} if end is None else end.record
            value = record["metrics"].get(design.metric) if record.get("status") in WHOLE else None
            if value is None or not math.isfinite(value):
                return []
            found.append(value)
    return found


def _choose(design: Design, inner: Inner, quest: _Quest) -> Chosen:
    sign = -1.0 if design.is_high_better else 1.0
    scored = sorted(
        ((sign * statistics.fmean(values), number) for number, (_, values) in quest.tried.items() if values)
    )
    unscored = [number for number, (_, values) in quest.tried.items() if not values]
    tried = [_record(*quest.tried[number]) for number in [*(number for _, number in scored), *unscored]]
    if not scored:
        return Chosen(quest.fold, None, None, tried)
    proposal, values = quest.tried[scored[0][1]]
    best = setting(inner.space, proposal.settings, proposal.epochs)
    return Chosen(quest.fold, best, statistics.fmean(values), tried)


def _record(proposal: Proposal, values: list[float]) -> dict[str, Any]:
    return {
        "number": proposal.number,
        "overrides": proposal.settings,
        "value": statistics.fmean(values) if values else None,
        "std": statistics.stdev(values) if len(values) > 1 else None,
    }
