"""The page of a comparison of two or more runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlexp.config.wording import command_line
from dlexp.direction import is_better_high
from dlexp.job.compare.comparison import compare
from dlexp.job.compare.document import Comparison, Pair, SideRecord
from dlexp.job.compare.side import load_side
from dlexp.job.report.picture import drawing
from dlexp.job.report.words import listed, name_of, score, sentence
from dlexp.number import between, decimal, noun
from dlexp.report.model import Block, Card, Commands, Figure, Page, Row, Section, Table, Value
from dlexp.statistic import score as scores

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure

SHOWN = 40  # examples that only one gets right
MOST_IN_TITLE = 4


def page_of_comparison(refs: list[str], runs_dir: Path) -> Page:
    """Return the page of a comparison.

    Args:
        refs: Two runs or more as users name them.
        runs_dir: Folder of all runs.

    Raises:
        RunError: A run that is unknown, incomplete, or measured on something else.
    """
    compared = compare(refs, runs_dir)
    metric, runs, pairs = compared["metric"], compared["runs"], compared["pairs"]
    labels = {run["run_id"]: run["label"] for run in runs}
    ordered = sorted(runs, key=lambda run: run["value"], reverse=is_better_high(metric))
    names = [run["label"] for run in runs[:MOST_IN_TITLE]]
    more = f" or {noun(len(runs) - MOST_IN_TITLE, 'other')}" if len(runs) > MOST_IN_TITLE else ""
    sections = [
        Section("Differences", [_forest(compared, labels), *([_matrix(runs, pairs)] if len(runs) > 2 else [])]),
        Section("The runs", [_runs(ordered, pairs, metric)]),
        *_alone(refs, runs_dir, compared),
        Section("Do it again", [Commands([(command_line("compare", refs), "in the terminal")])]),
    ]
    about = f"comparison of {noun(len(runs), 'run')} · {metric} · {_over(pairs)}"
    question = f"Which is better: {listed(names, 'or')}{more}?"
    notes = [sentence(note) for note in compared["notes"]]
    return Page(about, question, _answer(compared, ordered, labels), _cards(compared, ordered), sections, notes)


def _over(pairs: list[Pair]) -> str:
    return f"paired over {pairs[0]['num']:,} {pairs[0]['over']}"


def _answer(compared: Comparison, ordered: list[SideRecord], labels: dict[str, str]) -> str:
    metric, pairs = compared["metric"], compared["pairs"]
    best, second = ordered[0], ordered[1]
    pair = next(p for p in pairs if {p["a"], p["b"]} == {best["run_id"], second["run_id"]})
    sign = 1 if pair["a"] == best["run_id"] else -1
    ends = sorted(sign * (np.nan if end is None else end) for end in pair["interval"])
    size = f"{decimal(sign * pair['difference'], sign='+')} ({between(ends, '+')})"
    counted = f"{_over(pairs)}, p = {pair['p_holm']:.2g}"
    if pair["verdict"] == "cannot tell":
        return f"Cannot tell: {best['label']} leads {second['label']} by {size} in {name_of(metric)}, {counted}."
    others = "" if len(ordered) == 2 else " the second,"
    return f"{best['label']} is better than{others} {second['label']}: {size} in {name_of(metric)}, {counted}."


def _cards(compared: Comparison, ordered: list[SideRecord]) -> list[Card]:
    metric, pairs = compared["metric"], compared["pairs"]
    told = sum(pair["verdict"] != "cannot tell" for pair in pairs)
    best, last = ordered[0], ordered[-1]
    return [
        Card(f"best {name_of(metric)}", score(metric, best["value"]), best["label"]),
        Card("last", score(metric, last["value"]), last["label"]),
        Card("pairs told apart", f"{told} of {len(pairs)}", f"at {compared['alpha']:g}, after Holm's correction"),
        Card("paired over", f"{pairs[0]['num']:,}", pairs[0]["over"]),
        Card("test", pairs[0]["test"]),
    ]


def _forest(compared: Comparison, labels: dict[str, str]) -> Figure:
    rows = []
    for pair in compared["pairs"]:
        low, high = (None if end is None else float(end) for end in pair["interval"])
        winner = pair["verdict"] if pair["verdict"] == "cannot tell" else f"{labels[pair[pair['verdict']]]} is better"
        names = labels[pair["a"]], labels[pair["b"]]
        rows.append(Row((*names, pair["difference"], low, high, pair["p_value"], pair["p_holm"], winner)))

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.compare import difference_figure

        return difference_figure(compared)

    columns = ("a", "b", "difference a - b", "low", "high", "p", "p (Holm)", "verdict")
    told = sum(pair["verdict"] != "cannot tell" for pair in compared["pairs"])
    finding = f"{told} of {noun(len(rows), 'difference')} lie clear of zero."
    return Figure("Differences with 95 % intervals", finding, drawing(draw), Table("every pair", columns, rows))


def _matrix(runs: list[SideRecord], pairs: list[Pair]) -> Table:
    """Return what the row's run is against the column's."""
    verdicts: dict[tuple[str, str], str] = {}
    for pair in pairs:
        for mine, theirs, side in ((pair["a"], pair["b"], "a"), (pair["b"], pair["a"], "b")):
            verdict = pair["verdict"]
            verdicts[mine, theirs] = verdict if verdict == "cannot tell" else "better" if verdict == side else "worse"
    rows = [
        Row((run["label"], *("" if run is other else verdicts[run["run_id"], other["run_id"]] for other in runs)))
        for run in runs
    ]
    return Table("the row against the column", ("", *(run["label"] for run in runs)), rows)


def _runs(ordered: list[SideRecord], pairs: list[Pair], metric: str) -> Table:
    """Return the runs, best first; the best and those that cannot be told from it are bold."""
    best = ordered[0]["run_id"]
    open_pairs = [{p["a"], p["b"]} for p in pairs if p["verdict"] == "cannot tell"]
    rows = [
        Row(
            (
                place,
                run["label"],
                run["value"] if run["std"] is None else f"{decimal(run['value'])} ± {decimal(run['std'])}",
            ),
            is_marked=run["run_id"] == best or {best, run["run_id"]} in open_pairs,
        )
        for place, run in enumerate(ordered, 1)
    ]
    spread = metric if ordered[0]["std"] is None else f"{metric}, mean ± sd"
    return Table("best first; bold: the best, and what cannot be told from it", ("place", "run", spread), rows)


def _alone(refs: list[str], runs_dir: Path, compared: Comparison) -> list[Section]:
    """Return the examples that only one of two runs gets right."""
    if len(compared["runs"]) != 2 or compared["pairs"][0]["over"] != "examples" or len(refs) != 2:
        return []
    sides = [load_side(runs_dir, ref) for ref in refs]
    first, second = (side.splits[0, 0][0] for side in sides)
    if first.outputs.ndim == 1:
        return []
    called = [scores.called(each.outputs) for each in (first, second)]
    right = [answer == first.targets for answer in called]
    labels, blocks = [run["label"] for run in compared["runs"]], list[Block]()
    for winner, loser in ((0, 1), (1, 0)):
        only = np.flatnonzero(right[winner] & ~right[loser])
        rows = [_example(first.ids[i], first.targets[i], called[loser][i]) for i in only[:SHOWN].tolist()]
        caption = f"{noun(len(only), 'example')} that only {labels[winner]} gets right"
        blocks.append(Table(caption, ("example", "true class", f"called by {labels[loser]}"), rows))
    return [Section("Examples that only one gets right", blocks, is_folded=True)]


def _example(name: object, truth: object, called: object) -> Row:
    cells: list[Value] = [str(name), str(truth), str(called)]
    return Row(cells)
