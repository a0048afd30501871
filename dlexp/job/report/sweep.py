"""The page of a sweep."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dlexp.config.wording import setting_text, short_key, short_value
from dlexp.error import RunError
from dlexp.job.report.frame import Command, about_line, closing, time_card
from dlexp.job.report.picture import drawing
from dlexp.job.report.searched import Sweep
from dlexp.job.report.words import listed, name_of, score, sentence, span
from dlexp.job.sweep.document import ON_TIMING, TrialRecord
from dlexp.job.sweep.recorded import trial_folder
from dlexp.number import noun
from dlexp.report.model import Block, Card, Exact, Figure, Page, Row, Section, Table
from dlexp.run.folder import RunFolder
from dlexp.run.listing.page import RunPage
from dlexp.run.name import reference
from dlexp.run.status import Status

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure


MOST_DRAWN = 500  # trials of parallel coordinates, the best ones
CURVES = 10
SEEDS = 8


def page_of_sweep(folder: RunFolder, document: RunPage) -> Page:
    """Return the page of a sweep.

    Args:
        folder: The sweep's.
        document: What is known of it.

    Raises:
        RunError: It has no result yet, or no trial of it has a value.
    """
    result = folder.result
    if result is None or result.get("best") is None:
        raise RunError(f"{folder.run_id}: got a sweep without a best setting; a page needs one, see `dlexp show`")
    sweep, run = Sweep(folder, result), document["run"]
    sections = [
        Section("Each dimension, the most important first", _slices(sweep)),
        Section("All together", _together(sweep)),
        Section("Every setting", [_table(sweep), *_broken(sweep)]),
    ]
    return Page(
        about_line(run),
        _question(sweep, run["params"]),
        _answer(sweep),
        [*_cards(sweep), time_card(run)],
        [*sections, *closing(document, _again(sweep))],
        [*document["faults"], *_notes(sweep), *([run["note"]] if run["note"] else [])],
    )


def _names(keys: list[str]) -> list[str]:
    return [short_key(key, keys).replace("_", " ") for key in keys]


def _question(sweep: Sweep, params: Mapping[str, Any]) -> str:
    names = _names(sweep.keys)
    model = params.get("model")
    whose = f" for {model}" if model and "model" not in sweep.keys else ""
    data = params.get("data") or sweep.folder.manifest["data"]["name"]
    if not names:
        return f"How far do seeds move the result{whose} on {data}?"
    return f"Which {listed(names)} {'is' if len(names) == 1 else 'are'} best{whose} on {data}?"


def _answer(sweep: Sweep) -> str:
    best, metric = sweep.best, sweep.result["metric"]
    setting = setting_text(best["overrides"], is_short=True) or "the configuration"
    text = f"{setting} gets {name_of(metric)} {score(metric, best['value'])}"
    if "corrected" in best:
        ends = span(metric, best.get("corrected_interval"))
        text += f", {score(metric, best['corrected'])} ({ends}) once corrected for having been picked"
    elif best["std"] is not None:
        text += f" (sd {score(metric, best['std'])} over {noun(best['seeds'], 'seed')})"
    ties = best["ties"] if best["seeds"] > 1 else 0
    tied = f"; {noun(ties, 'other')} cannot be told from it" if ties else ""
    return f"{text}; the best of {noun(len(sweep.ranked), 'setting')}{tied}."


def _cards(sweep: Sweep) -> list[Card]:
    best, metric = sweep.best, sweep.result["metric"]
    guess = sweep.result["guess"].get(metric)
    floor = "" if guess is None else f"guessing gets {score(metric, guess)}"
    cards = [Card(f"best {name_of(metric)}", score(metric, best["value"]), floor)]
    if "corrected" in best:
        note = f"interval {span(metric, best.get('corrected_interval'))}"
        cards.append(Card("corrected for picking", score(metric, best["corrected"]), note))
    else:
        cards.append(Card("corrected for picking", "not known", best.get("not_corrected", "")))
    if best["seeds"] > 1:
        cards.append(
            Card("tied with the best", str(best["ties"]), f"settings within the noise of {noun(best['seeds'], 'seed')}")
        )
    elif "wins" in best:
        cards.append(Card("best again", f"{100 * best['wins']:.0f} %", "of validation parts drawn anew"))
    edges = listed([short_key(edge.split(": ")[0], sweep.keys) for edge in best["edges"]])
    return [*cards, Card("at an edge", edges or "none", "of what was searched: widen it" if edges else "")]


def _notes(sweep: Sweep) -> list[str]:
    trials = sweep.result["trials"]
    failed = sum(trial["status"] in ("failed", "diverged") for trial in trials)
    notes = [f"{failed} of {noun(len(trials), 'trial')} failed or diverged."] if failed else []
    if sweep.best["seeds"] == 1:
        notes.append(
            "One seed a setting: the noise of seeds is unknown, and settings that differ by little may be equal."
        )
    if sweep.result.get("depends_on_timing"):
        notes.append(sentence(ON_TIMING))
    return [*notes, *map(sentence, [*sweep.result["moves"], *sweep.best.get("corrected_notes", [])])]


def _slices(sweep: Sweep) -> list[Block]:
    """Return a figure of each dimension; marks of the first say what they are, those of the others light up with it."""
    names = _titles(sweep)
    return [_slice(sweep, key, {} if place else names) for place, key in enumerate(sweep.keys)]


def _slice(sweep: Sweep, key: str, names: dict[str, str]) -> Figure:
    share = sweep.result["importances"].get(key)
    best = sweep.best["overrides"].get(key)
    weight = "" if share is None else f"Importance {share:.2f}; "
    finding = f"{weight}{'the best is ' if weight else 'The best is '}{short_value(best)}."
    d = sweep.dimensions.get(key)
    ranges = {key: (d.low, d.high)} if d is not None and d.values is None else {}

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.search import dimension_figure

        return dimension_figure(sweep.points, [key], sweep.log_keys, sweep.result["metric"], ranges)

    return Figure(key, finding, drawing(draw), keys={"trials": _keys(sweep, key)}, names=names)


def _keys(sweep: Sweep, key: str) -> list[str]:
    """Return the numbers of the settings that a slice shows as marks, in their order."""
    from dlexp.figure.point import spots
    from dlexp.figure.search import limits_of

    every = spots(sweep.points)
    limits = limits_of(every, sweep.result["metric"])
    return [spot.run_id for spot in every if key in spot.settings and limits.has(spot.mean)]


def _titles(sweep: Sweep) -> dict[str, str]:
    metric = sweep.result["metric"]
    return {
        str(trials[0]["number"]): f"{place}. {setting_text(_setting(trials[0]))}: {score(metric, _mean(trials))}"
        for place, trials in enumerate(sweep.ranked, 1)
    }


def _setting(trial: TrialRecord) -> dict[str, Any]:
    return {key: value for key, value in trial["overrides"].items() if key != "seed"}


def _mean(trials: list[TrialRecord]) -> float:
    return sum(trial["value"] or 0.0 for trial in trials) / len(trials)


def _together(sweep: Sweep) -> list[Block]:
    from dlexp.figure.parallel import FEWEST_KEYS

    metric, trials = sweep.result["metric"], [t for t in sweep.result["trials"] if t["status"] != "invalid"]
    blocks: list[Block] = []
    if len(sweep.keys) >= FEWEST_KEYS:

        def draw_parallel() -> "MatplotlibFigure":
            from dlexp.figure.parallel import parallel_figure

            points = sweep.points[:MOST_DRAWN]
            is_high = sweep.is_high_better
            return parallel_figure(points, sweep.keys, sweep.log_keys, metric, is_high_better=is_high)

        finding = "Each line is a setting: the best fifth coloured, dark to light, the others grey."
        blocks.append(Figure("Settings", finding, drawing(draw_parallel), names=_titles(sweep)))
    values = [trial["value"] if Status(trial["status"]).has_value else None for trial in trials]
    seconds = [trial["seconds"] for trial in trials]

    def draw_progress() -> "MatplotlibFigure":
        from dlexp.figure.cost.progress import progress_figure

        return progress_figure(values, seconds, metric, is_high_better=sweep.is_high_better)

    place_of_best = next(
        (place for place, trial in enumerate(trials, 1) if trial["run_id"] == sweep.best["run_id"]), None
    )
    finding = (
        f"The best came as trial {place_of_best} of {len(trials)}."
        if place_of_best
        else f"{noun(len(trials), 'trial')}."
    )
    blocks.append(Figure("Best so far", finding, drawing(draw_progress)))
    curves = [
        (setting_text(_setting(seeds[0]), is_short=True), [trial_folder(sweep.folder, t).history() for t in seeds])
        for seeds in sweep.ranked[:CURVES]
    ]

    def draw_curves() -> "MatplotlibFigure":
        from dlexp.figure.search import curve_figure

        return curve_figure(curves, metric)

    finding = f"{name_of(metric).capitalize()} by epoch of the best {len(curves)}."
    return [*blocks, Figure("Curves of the best", finding, drawing(draw_curves))]


def _table(sweep: Sweep) -> Table:
    metric, has_seeds = sweep.result["metric"], sweep.best["seeds"] > 1
    rows = []
    for place, trials in enumerate(sweep.ranked, 1):
        values = [trial["value"] or 0.0 for trial in trials]
        mean = _mean(trials)
        spread = [(sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5] if len(values) > 1 else [None]
        settings = [_cell(trials[0]["overrides"].get(key)) for key in sweep.keys]
        seconds = float(sum(trial["seconds"] for trial in trials))
        numbers = [mean, *(spread if has_seeds else []), trials[0]["epochs"], Exact(round(seconds, 2))]
        rows.append(Row((place, *settings, *numbers), key=str(trials[0]["number"]), is_marked=place == 1))
    spreads = ["sd over seeds"] if has_seeds else []
    columns = ("place", *_names(sweep.keys), metric, *spreads, "epochs", "seconds")
    return Table(f"{noun(len(rows), 'setting')}, the best first", columns, rows, is_ranked=True)


def _cell(value: Any) -> str | float | int | None:
    if isinstance(value, float):
        return Exact(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else short_value(value)


def _broken(sweep: Sweep) -> list[Table]:
    """Return the trials without a value, with the reasons."""
    broken = [trial for trial in sweep.result["trials"] if not Status(trial["status"]).has_value]
    rows = [Row((setting_text(t["overrides"]), t["status"], t.get("error", ""))) for t in broken]
    return [Table("without a value, and why", ("setting", "status", "reason"), rows)] if rows else []


def _again(sweep: Sweep) -> list[Command]:
    ref = reference(sweep.folder)
    seeds = f"dlexp train --from {ref} --seeds {SEEDS}"
    return [
        (sweep.best["command"], "trains the best setting"),
        (seeds, f"trains it with {SEEDS} seeds: mean and spread"),
        (f"{seeds} --test", "the same, and opens the sealed test part"),
        (f"dlexp compare {ref}:1 {ref}:2", "whether the first is better than the second"),
    ]
