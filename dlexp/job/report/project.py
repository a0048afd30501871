"""The page of a whole project: an index of all runs with their ranking, cost and time."""

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from dlexp.config.wording import short_value
from dlexp.error import RunError
from dlexp.job.report.picture import drawing
from dlexp.job.report.words import score, span
from dlexp.number import duration, noun
from dlexp.report.model import Block, Card, Commands, Figure, Page, Row, Section, Table, Value
from dlexp.run.document import RunRecord
from dlexp.run.listing.ranking import Ranking, rank, records_of
from dlexp.statistic.proportion import wilson

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure

FEWEST_DRAWN = 3  # runs with a cost that make a figure
MOST_PARAMS = 6  # columns of what differs


def page_of_project(runs_dir: Path, page: str) -> Page:
    """Return the index of all runs.

    Args:
        runs_dir: Folder of all runs.
        page: Name of the pages of single runs, which stand in their folders.

    Raises:
        RunError: There are no runs.
    """
    rankings = rank(runs_dir)
    records = [run for run in records_of(rankings) if run["kind"] in ("train", "sweep", "cv", "ensemble")]
    if not records:
        raise RunError(f"{runs_dir}: got no runs; `dlexp train` makes one")
    sections = [_experiment(ranking, runs_dir, page) for ranking in rankings]
    timeline = Section("Timeline, and what was tried", [_timeline(records, runs_dir, page)])
    missing = [run for run in records if not (Path(run["run_dir"]) / page).is_file()]
    again = [("dlexp report RUN", "writes the page of a run: its name in the tables leads there")]
    notes = [f"{len(missing)} of {noun(len(records), 'run')} have no page of their own yet."] if missing else []
    return Page(
        f"project · {runs_dir}",
        "What was tried, and what is best?",
        _answer(rankings, records),
        _cards(rankings, records),
        [*sections, timeline, Section("Do it again", [Commands(again)])],
        notes,
    )


def _answer(rankings: list[Ranking], records: list[RunRecord]) -> str:
    bests = [(ranking, _ranked(ranking)[0]) for ranking in rankings if _ranked(ranking)]
    words = [
        f"{_title(ranking)}: {run['slug']} with {run['metric']} {score(str(run['metric']), run['value'])}"
        for ranking, run in bests
    ]
    more = f"; {noun(len(words) - 3, 'other table')}" if len(words) > 3 else ""
    bests_text = f"Best of {'; of '.join(words[:3])}{more}." if words else "None has a score yet."
    return f"{noun(len(records), 'run')}. {bests_text}"


def _cards(rankings: list[Ranking], records: list[RunRecord]) -> list[Card]:
    done = sum(run["status"] in ("finished", "stopped_early") for run in records)
    broken = sum(run["status"] in ("failed", "diverged", "killed", "interrupted", "damaged") for run in records)
    seconds = sum(run.get("seconds") or 0.0 for run in records)
    experiments = {run["experiment"] for run in records}
    return [
        Card("runs", f"{len(records):,}", noun(len(experiments), "experiment")),
        Card("finished", f"{done:,}"),
        Card("not to their end", f"{broken:,}", "failed, diverged, killed or interrupted"),
        Card("tables", f"{len(rankings)}", "runs on equal validation examples each"),
        Card("time", duration(seconds), "of training"),
    ]


def _title(ranking: Ranking) -> str:
    return f"{ranking.experiment}, {ranking.examples}" if ranking.examples else str(ranking.experiment)


def _ranked(ranking: Ranking) -> list[RunRecord]:
    """Return the runs that have a value, best first, all of one metric."""
    runs = [run for run in ranking.records if run["value"] is not None and run["metric"] is not None]
    return [run for run in runs if run["metric"] == runs[0]["metric"]]


def _experiment(ranking: Ranking, runs_dir: Path, page: str) -> Section:
    runs = _ranked(ranking)
    blocks: list[Block] = [_leaderboard(ranking, runs, runs_dir, page)]
    for cost, key in (("parameters", "num_params"), ("seconds of training", "seconds")):
        values = [{**run}.get(key) for run in runs]
        priced = [(run, float(v)) for run, v in zip(runs, values, strict=True) if isinstance(v, int | float) and v > 0]
        if len(priced) >= FEWEST_DRAWN:
            blocks.append(_tradeoff(priced, cost))
    return Section(_title(ranking), blocks)


def _leaderboard(ranking: Ranking, runs: list[RunRecord], runs_dir: Path, page: str) -> Table:
    metric = str(runs[0]["metric"]) if runs else "value"
    keys = _differing(ranking.records)
    order = [*runs, *(run for run in ranking.records if run not in runs)]
    intervals = [_interval(run) for run in order]
    tied = tie_group(runs, intervals)
    rows = [
        Row(
            (
                run["run_id"],
                str(run["kind"]),
                run["value"],
                span(metric, ends),
                *(_shown(run, key) for key in keys),
                run["status"],
                {**run}.get("num_params"),
                run.get("seconds"),
            ),
            key=run["run_id"],
            is_marked=run["run_id"] in tied,
            link=_link(run, runs_dir, page),
        )
        for run, ends in zip(order, intervals, strict=True)
    ]
    names = [key.rpartition(".")[2].replace("_", " ") for key in keys]
    columns = ("run", "kind", metric, "95 % interval", *names, "status", "parameters", "seconds")
    tie = "bold: the best, and those whose interval holds its value (dlexp compare tests that)"
    caption = f"{_title(ranking)}, the best first; {tie}"
    return Table(caption, columns, rows, is_ranked=True)


def tie_group(runs: Sequence[RunRecord], intervals: Sequence[tuple[float, float] | None]) -> set[str]:
    """Return the ids of the best run and of those whose interval holds the best's value.

    Args:
        runs: Best first.
        intervals: Of each run and maybe of more.
    """
    if not runs:
        return set()
    best = runs[0]["value"] or 0.0
    near = {run["run_id"] for run, ends in zip(runs, intervals, strict=False) if ends and ends[0] <= best <= ends[1]}
    return {runs[0]["run_id"], *near}


def _interval(run: RunRecord) -> tuple[float, float] | None:
    """Return the interval in a run's record: a cv's, an ensemble's, a sweep's corrected, a training's accuracy."""
    fields, metric = {**run}, str(run["metric"])
    corrected = (fields.get("interval_corrected") or {}).get(metric)
    settings = fields.get("settings")
    if settings:
        corrected = settings[0]["interval_corrected"].get(metric)
    scores = fields.get("scores")  # of an ensemble, the metric that it is judged by first
    if scores:
        corrected = scores[0]["nested"]["interval"]
    best = fields.get("best") or {}
    ends = corrected or best.get("corrected_interval")
    if ends and None not in ends:
        return ends[0], ends[1]
    num = (fields.get("data") or {}).get("num_val")
    if run["kind"] == "train" and metric == "val/accuracy" and num and run["value"] is not None:
        return wilson(run["value"], num)
    return None


def _differing(records: Sequence[RunRecord]) -> list[str]:
    keys = dict.fromkeys(key for run in records for key in run["params"] if key not in ("data", "tracking", "seed"))
    differing = [key for key in keys if len({short_value(run["params"].get(key)) for run in records}) > 1]
    return differing[:MOST_PARAMS]


def _shown(run: RunRecord, key: str) -> Value:
    return short_value(run["params"][key]) if key in run["params"] else ""


def _link(run: RunRecord, runs_dir: Path, page: str) -> str:
    path = Path(run["run_dir"]) / page
    return Path(os.path.relpath(path, runs_dir)).as_posix() if path.is_file() else ""


def _tradeoff(priced: list[tuple[RunRecord, float]], cost: str) -> Figure:
    metric = str(priced[0][0]["metric"])
    costs, values = [price for _, price in priced], [run["value"] or 0.0 for run, _ in priced]
    cheapest = _cheapest(priced)

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.cost.tradeoff import tradeoff_figure

        return tradeoff_figure(costs, values, cost, metric)

    names = {run["run_id"]: f"{run['slug']}: {score(metric, run['value'])}" for run, _ in priced}
    keys = {"runs": [run["run_id"] for run, _ in priced]}
    return Figure(f"{metric} over {cost}", cheapest, drawing(draw), keys=keys, names=names)


def _cheapest(priced: list[tuple[RunRecord, float]]) -> str:
    """Return what the cheapest run is worth."""
    run, price = min(priced, key=lambda each: each[1])
    return f"The cheapest is {run['slug']} at {price:,.4g} with {score(str(run['metric']), run['value'])}."


def _timeline(records: list[RunRecord], runs_dir: Path, page: str) -> Table:
    ordered = sorted(records, key=lambda run: str(run["start"]), reverse=True)
    rows: list[Row] = []
    for day, group in groupby(ordered, key=lambda run: str(run["start"])[:10]):
        for run in group:
            clock = str(run["start"])[11:16]
            value = "" if run["value"] is None else f"{run['metric']} {score(str(run['metric']), run['value'])}"
            cells = (f"{day} {clock}", run["run_id"], str(run["kind"]), run["slug"], run["status"], value, run["note"])
            rows.append(Row(cells, key=run["run_id"], link=_link(run, runs_dir, page)))
    columns = ("started (UTC)", "run", "kind", "what was tried", "status", "result", "note")
    return Table("every run, the newest first", columns, rows)
