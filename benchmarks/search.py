"""Replays of every strategy on tables of real trainings: how far from the best setting after so many trainings.

On the 12 tables a setting costs one training, and every strategy has 25, 50 or 100. On our own curves an epoch costs
one, and every strategy has the epochs of 25, 50 or 100 full trainings; coarse to fine trains its first rounds shorter,
hyperband stops most settings early. Normalised regret: 0 is the best setting of the table, 1 the median one. The means
are over 20 seeds, which all strategies share. Two spaces: the numbers of a table as listed values, without order, or
as intervals. Not replayed: grid, which has no budget, and hyperband on the 12 tables, where it is random search.

Required: coarse_to_fine within 0.01 of tpe at 50 trainings and better than random on 10 of 12 tables; tpe in batches of
4 not worse than one by one by more than two standard errors. `python -m benchmarks.search` writes
``benchmarks/results/search.json``; with ``--page docs/benchmarks.md`` only the table of the record, into the page.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import RESULTS, replace_between, write
from benchmarks.search_table import Table, curves, tables
from dlexp.search.coarse_to_fine import CoarseToFine
from dlexp.search.hyperband import Hyperband
from dlexp.search.random import Random
from dlexp.search.strategy import Proposal, Search, Strategy
from dlexp.search.tpe import TPE

SEEDS = 20
BUDGETS = (25, 50, 100)
STRATEGIES: dict[str, Any] = {
    "random": lambda trials, seed: Random(trials=trials, seed=seed),
    "sobol": lambda trials, seed: Random(trials=trials, seed=seed, sobol=True),
    "coarse_to_fine": lambda trials, seed: CoarseToFine(trials=trials, seed=seed),
    "tpe": lambda trials, seed: TPE(trials=trials, seed=seed),
    "tpe, batch 1": lambda trials, seed: TPE(trials=trials, seed=seed, batch=1),
    "hyperband, 1 bracket": lambda trials, seed: Hyperband(trials=trials, seed=seed),
    "hyperband": lambda trials, seed: Hyperband(trials=trials, seed=seed, brackets=None),
}
STEADY = ("random", "sobol", "tpe", "tpe, batch 1")  # a longer search begins as a shorter one: one replay tells all
CLOSE, CLOSE_AT, MOST = 0.01, 50, 10
NOTE = (
    "normalised regret (0: the best setting of the table, 1: the median one), mean over 20 seeds and over tables, with "
    "the standard error over seeds; budget in full trainings"
)


@dataclass(frozen=True)
class Case:
    """One replay: a strategy, a table, a space, as many trials, a seed."""

    strategy: str
    table: str
    is_ordered: bool
    trials: int
    seed: int


def replay(case: Case) -> list[tuple[int, float]]:
    """Return the epochs spent and the regret of the best setting so far after each training."""
    table = curves() if case.table == "curves/digits" else tables()[case.table]
    search: Search = STRATEGIES[case.strategy](case.trials, case.seed)
    strategy = Strategy(search.propose(table.problem(is_ordered=case.is_ordered)))
    there: dict[int, int] = {}  # epochs that a setting was trained for already
    told, spent, best = [], 0, float("inf")
    while (batch := strategy.ask()) is not None:
        scores = []
        for proposal in batch.proposals:
            until = _until(proposal, table)
            spent += until - there.get(proposal.number, 0)
            there[proposal.number] = until
            regret = table.look_up(proposal.settings, until)
            best = min(best, regret)
            told.append((spent, best))
            scores.append(-regret)
        strategy.tell(scores)
    return told


def _until(proposal: Proposal, table: Table) -> int:
    return proposal.until or proposal.epochs or table.epochs


def affordable(strategy: str, epochs: int) -> int:
    """Return the most trials of a strategy that take no more epochs on the curves."""
    low, high = 1, epochs + 1
    while high - low > 1:
        trials = (low + high) // 2
        spent = replay(Case(strategy, "curves/digits", True, trials, 0))[-1][0]
        low, high = (trials, high) if spent <= epochs else (low, trials)
    return low


def within(told: list[tuple[int, float]], epochs: int) -> float:
    """Return the regret of what was trained within so many epochs."""
    return [regret for spent, regret in told if spent <= epochs][-1]


def measured(pool: ProcessPoolExecutor, strategy: str, names: list[str], *, is_ordered: bool) -> dict[int, np.ndarray]:
    """Return the regret (tables, seeds) of a strategy at each budget."""
    length = curves().epochs if names == ["curves/digits"] else 1
    if strategy in STEADY:
        trials = dict.fromkeys(BUDGETS, max(BUDGETS))
    else:
        trials = {budget: affordable(strategy, budget * length) if length > 1 else budget for budget in BUDGETS}
    cases = [
        Case(strategy, name, is_ordered, count, seed)
        for count, name, seed in product(sorted(set(trials.values())), names, range(SEEDS))
    ]
    told = dict(zip(cases, pool.map(replay, cases, chunksize=5), strict=True))
    return {
        budget: np.array(
            [
                [
                    within(told[Case(strategy, name, is_ordered, trials[budget], s)], budget * length)
                    for s in range(SEEDS)
                ]
                for name in names
            ]
        )
        for budget in BUDGETS
    }


def compared(pool: ProcessPoolExecutor, names: list[str], strategies: list[str], *, is_ordered: bool) -> Iterator[dict]:
    """Yield a row for each strategy and budget."""
    reference: dict[int, np.ndarray] = {}
    for strategy in strategies:
        regrets = measured(pool, strategy, names, is_ordered=is_ordered)
        reference = reference or regrets  # random comes first
        for budget, values in regrets.items():
            by_table = values.mean(axis=1)
            yield {
                "tables": "curves" if len(names) == 1 else len(names),
                "numbers": "intervals" if is_ordered else "listed",
                "strategy": strategy,
                "budget": budget,
                "regret": round(float(values.mean()), 4),
                "standard_error": round(float(values.mean(axis=0).std(ddof=1) / SEEDS**0.5), 4),
                "better_than_random": int((by_table < reference[budget].mean(axis=1)).sum()),
                "by_table": {name: round(float(value), 4) for name, value in zip(names, by_table, strict=True)},
            }


def missed(rows: list[dict[str, Any]]) -> list[str]:
    """Return the requirements that do not hold."""
    lacks = []
    for numbers in ("listed", "intervals"):
        at = {
            r["strategy"]: r for r in rows if r["tables"] == 12 and r["numbers"] == numbers and r["budget"] == CLOSE_AT
        }
        fine, tpe, single = at["coarse_to_fine"], at["tpe"], at["tpe, batch 1"]
        if fine["regret"] > tpe["regret"] + CLOSE:
            lacks.append(f"{numbers}: coarse_to_fine {fine['regret']}, tpe {tpe['regret']}")
        if fine["better_than_random"] < MOST:
            lacks.append(f"{numbers}: coarse_to_fine is better than random on {fine['better_than_random']} tables only")
        error = (tpe["standard_error"] ** 2 + single["standard_error"] ** 2) ** 0.5
        if tpe["regret"] > single["regret"] + 2 * error:
            lacks.append(f"{numbers}: tpe {tpe['regret']} in batches of 4, {single['regret']} one by one")
    return lacks


def table(rows: list[dict[str, Any]]) -> str:
    """Return the record as the page shows it: regret at each budget, standard error, tables better than random's."""
    spaces = [(12, "listed"), (12, "intervals"), ("curves", "intervals")]
    names = ["12 tables, listed", "12 tables, intervals", "our curves"]
    head = ["strategy", *(f"{name}: {budget}" for name in names for budget in BUDGETS), "better than random at 50"]
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    at = {(row["tables"], row["numbers"], row["strategy"], row["budget"]): row for row in rows}
    for strategy in STRATEGIES:
        chosen = [at.get((*space, strategy, budget)) for space, budget in product(spaces, BUDGETS)]
        cells = ["" if row is None else f"{row['regret']:.3f} ± {row['standard_error']:.3f}" for row in chosen]
        counts = [at.get((*space, strategy, CLOSE_AT)) for space in spaces[:2]]
        better = "" if strategy == "random" else " and ".join(str(row["better_than_random"]) for row in counts if row)
        lines.append(f"| {' | '.join([strategy, *cells, better])} |")
    return "\n".join(lines)


def main() -> int:
    """Replay, or only write the table into a page; return 1 if a requirement is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, help="only write the table of the record into this page")
    page = parser.parse_args().page
    if page is None:
        return replay_all()
    rows = json.loads((RESULTS / "search.json").read_text())["rows"]
    page.write_text(replace_between(page.read_text(), "search", table(rows)))
    return 0


def replay_all() -> int:
    """Replay, write ``results/search.json`` and return 1 if a requirement is missed."""
    rows: list[dict[str, Any]] = []
    trained = [name for name in STRATEGIES if not name.startswith("hyperband")]
    with ProcessPoolExecutor() as pool:
        for is_ordered in (False, True):
            for row in compared(pool, list(tables()), trained, is_ordered=is_ordered):
                print({name: value for name, value in row.items() if name != "by_table"}, flush=True)
                rows.append(row)
        for row in compared(pool, ["curves/digits"], list(STRATEGIES), is_ordered=True):
            print({name: value for name, value in row.items() if name != "by_table"}, flush=True)
            rows.append(row)
    print(write("search", rows, NOTE))
    lacks = missed(rows)
    print(*lacks or ["all requirements hold"], sep="\n")
    return int(bool(lacks))


if __name__ == "__main__":
    sys.exit(main())
