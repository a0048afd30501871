"""The page of a cross-validation: of one setting, or of several on the same folds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dlexp.config.wording import setting_text
from dlexp.error import DlexpError, RunError
from dlexp.job.cv.document import CVResult, CVSettingsResult
from dlexp.job.report import classifier
from dlexp.job.report.answer import Answers
from dlexp.job.report.example import read_pictures, suspect_block
from dlexp.job.report.frame import Command, about_line, closing, time_card
from dlexp.job.report.picture import drawing
from dlexp.job.report.regression import error_table, residual_block
from dlexp.job.report.train import VERBS, data_name, setting_words, target_sections
from dlexp.job.report.words import listed, name_of, score, sentence, span
from dlexp.number import decimal, noun
from dlexp.report.model import Block, Card, Figure, Page, Row, Section, Table
from dlexp.run.document import RunRecord
from dlexp.run.folder import RunFolder
from dlexp.run.listing.page import RunPage
from dlexp.run.measure import pooled, read_measure
from dlexp.run.name import reference
from dlexp.type import RECONSTRUCT

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure

SHOWN = 12  # metrics of the table
CHOSEN = ("val/accuracy", "val/rmse", "val/loss")  # of cvs of version 0.1, which name none


def page_of_cv(folder: RunFolder, document: RunPage) -> Page:
    """Return the page of a cv.

    Args:
        folder: The cv's.
        document: What is known of it.

    Raises:
        RunError: It has no result yet, or is incomplete.
    """
    result = folder.result
    if result is None or not result.get("complete"):
        raise RunError(f"{folder.run_id}: got an incomplete cv; a page needs every fold, see `dlexp show`")
    write = _settings_page if "settings" in result else _folds_page
    return write(folder, document, result)


def _folds_page(folder: RunFolder, document: RunPage, result: CVResult) -> Page:
    run = document["run"]
    metric = result.get("metric") or next(name for name in CHOSEN if name in result["mean"])
    blocks = [_folds(result, metric), *_pooled(folder, run), *_curves(folder, result, metric)]
    sections = [Section("The folds", blocks), Section("Every metric", [_metrics(result)])]
    if "suspects" in result:
        sections.append(Section("Label suspects", [suspect_block(result["suspects"], read_pictures(folder))]))
    ends = span(metric, result["interval_corrected"].get(metric))
    num = len(result["folds"])
    verb = VERBS.get(result["task"], "tell apart")
    guess = result.get("guess")
    floor = f"; guessing gets {score(metric, guess['value'])}" if guess and guess["metric"] == metric else ""
    value = score(metric, result["mean"][metric])
    answer = (
        f"{name_of(metric).capitalize()} {value} in the mean of {noun(num, 'fold')} "
        f"({ends or 'no interval: all folds are equal'}, allowing for shared training data){floor}."
    )
    cards = [
        Card(f"mean {name_of(metric)}", value, f"of {noun(num, 'fold')}"),
        Card("interval", ends or "none", "95 %, corrected"),
        Card(
            "sd over folds",
            score(metric, result["std"][metric]),
            f"{noun(result['k'], 'fold')}, {noun(result['repeats'], 'repeat')}",
        ),
        Card("by guessing", score(metric, guess["value"]) if guess else "not known", guess["metric"] if guess else ""),
        time_card(run),
    ]
    model = run["params"].get("model") or "the model"
    question = f"How well does {model}{setting_words(run)} {verb} {data_name(run)} that it has not seen?"
    notes = [*document["faults"], *([sentence(guess["note"])] if guess and guess["note"] else [])]
    return Page(about_line(run), question, answer, cards, [*sections, *closing(document, _again(folder))], notes)


def _folds(result: CVResult, metric: str) -> Figure:
    rows = [
        Row((fold["repeat"] + 1, fold["fold"] + 1, fold["metrics"].get(metric), fold["status"]))
        for fold in result["folds"]
    ]
    values = [value for fold in result["folds"] if (value := fold["metrics"].get(metric)) is not None]

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.cv import fold_figure

        return fold_figure(result, metric)

    finding = f"The folds go from {score(metric, min(values))} to {score(metric, max(values))}."
    return Figure("Folds", finding, drawing(draw), Table("by fold", ("repeat", "fold", metric, "status"), rows))


def _pooled(folder: RunFolder, run: RunRecord) -> list[Block]:
    """Return what the pooled held-out predictions show."""
    try:
        stored = folder.predictions("val")
        measure = pooled([read_measure(child) for child in folder.children() if child.manifest["kind"] == "fold"])
    except (DlexpError, OSError, IndexError):
        return []
    answers = Answers(stored["id"], stored["target"], stored["output"], measure)
    if not answers.is_finite:
        return []
    if answers.targets.ndim > 1:
        sections = target_sections(folder.children()[0], answers, "held out")
        return [block for section in sections for block in section.blocks]
    if answers.outputs.ndim == 1:
        return [error_table(answers) if run["task"] == RECONSTRUCT else residual_block(answers, "value")]
    named: Any = {**run}
    report = (named.get("out_of_fold") or {}).get("recall_class")
    num = max(2, answers.outputs.shape[1], int(answers.targets.max(initial=0)) + 1)
    names = list(report) if report and len(report) == num else [str(k) for k in range(num)]
    counts_KK = classifier.confusion(answers, names)
    confusion = classifier.confusion_block(counts_KK, names, "held out")
    if run["task"] == "pairs":
        return [confusion, classifier.similarity_block(answers, names)]
    return [confusion, classifier.class_block(counts_KK, names)]


def _curves(folder: RunFolder, result: CVResult, metric: str) -> list[Block]:
    """Return the metric by epoch in a band over folds."""
    by_id = {child.run_id: child for child in folder.children()}
    histories = [by_id[fold["run_id"]].history() for fold in result["folds"] if fold["run_id"] in by_id]
    if not histories:
        return []

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.search import curve_figure

        return curve_figure([("mean of the folds", histories)], metric)

    finding = f"{name_of(metric).capitalize()} by epoch: the mean of the folds in a band from the least to the largest."
    return [Figure("Curves", finding, drawing(draw))]


def _metrics(result: CVResult) -> Table:
    rows = []
    for name in [name for name in result["mean"] if name.startswith("val/")][:SHOWN]:
        out = result["out_of_fold"].get(name.removeprefix("val/"))
        numbers = (result["mean"][name], result["std"].get(name), _ends(result["interval_corrected"].get(name)))
        rows.append(Row((name, *numbers, out if isinstance(out, float) else None)))
    columns = ("metric", "mean", "sd", "corrected 95 % interval", "pooled")
    return Table("means over folds, and the metric of all held-out predictions together", columns, rows)


def _ends(ends: Any) -> str:
    if ends is None or None in ends:
        return ""
    return f"{decimal(ends[0])} to {decimal(ends[1])}"


def _settings_page(folder: RunFolder, document: RunPage, result: CVSettingsResult) -> Page:
    run, metric = document["run"], result["metric"]
    best, settings = result["settings"][0], result["settings"]
    tied = [entry for entry in settings if entry["against_best"] == "cannot tell"]
    keys = list(dict.fromkeys(key for entry in settings for key in entry["overrides"]))
    words = listed([key.rpartition(".")[2].replace("_", " ") for key in keys])
    ends = span(metric, best["interval_corrected"].get(metric))
    told = f"{noun(len(tied), 'other')} cannot be told from it" if tied else "all others are worse"
    answer = (
        f"{setting_text(best['overrides'], is_short=True)} with {name_of(metric)} {score(metric, best['value'])} "
        f"({ends or 'no interval'}), the best of {noun(len(settings), 'setting')} on the same "
        f"{noun(result['k'] * result['repeats'], 'fold')}; {told}."
    )
    guess = best.get("guess")
    cards = [
        Card(f"best mean {name_of(metric)}", score(metric, best["value"]), f"of {noun(len(settings), 'setting')}"),
        Card("interval", ends or "none", "95 %, corrected"),
        Card("tied with the best", str(len(tied)), "cannot be told from it"),
        Card("by guessing", score(metric, guess["value"]) if guess else "not known"),
        time_card(run),
    ]
    blocks: list[Block] = [_settings(result, tied), _fold_map(folder, result)]
    sections = [Section("The settings", blocks)]
    question = f"Which {words} {'is' if len(keys) == 1 else 'are'} best on {data_name(run)}?"
    again = _again(folder)
    notes = [*document["faults"], *([sentence(result["note"])] if result["note"] else [])]
    return Page(about_line(run), question, answer, cards, [*sections, *closing(document, again)], notes)


def _settings(result: CVSettingsResult, tied: list[Any]) -> Figure:
    metric, pairs = result["metric"], {pair["b"]: pair for pair in result["comparisons"]}
    rows = []
    for place, entry in enumerate(result["settings"], 1):
        pair = pairs.get(entry["run_id"])
        mean, std = entry["mean"].get(metric), entry["std"].get(metric)
        spread = "" if mean is None or std is None else f"{decimal(mean)} ± {decimal(std)}"
        judged = ("", None) if pair is None else (entry["against_best"] or "", pair["p_holm"])
        is_marked = place == 1 or entry in tied
        cells = (
            place,
            setting_text(entry["overrides"]),
            spread,
            _ends(entry["interval_corrected"].get(metric)),
            *judged,
        )
        rows.append(Row(cells, is_marked=is_marked, key=entry["run_id"]))

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.cv import settings_figure

        return settings_figure(result)

    columns = ("place", "setting", f"{metric}, mean ± sd", "corrected 95 % interval", "against the best", "p (Holm)")
    table = Table("the settings, best first; those that cannot be told from the best are bold", columns, rows)
    finding = f"{noun(len(tied), 'setting')} of {len(rows) - 1} cannot be told from the best."
    return Figure("Settings", finding, drawing(draw), table)


def _fold_map(folder: RunFolder, result: CVSettingsResult) -> Figure:
    """Return every setting's score on every fold."""
    metric = result["metric"]
    by_id = {child.run_id: child for child in folder.children()}
    values: list[list[float | None]] = []
    for entry in result["settings"]:
        child = by_id.get(entry["run_id"])
        inner: Mapping[str, Any] = (child.result if child is not None else None) or {}
        values.append([fold["metrics"].get(metric) for fold in inner.get("folds", [])])
    names = [setting_text(entry["overrides"], is_short=True) for entry in result["settings"]]
    width = max(map(len, values))
    rows = [Row((name, *row, *[None] * (width - len(row)))) for name, row in zip(names, values, strict=True)]

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.fold_map import fold_map_figure

        return fold_map_figure(names, values, metric)

    folds = [f"fold {fold + 1}" for fold in range(width)]
    table = Table("each setting on each fold", ("setting", *folds), rows)
    return Figure("Settings by folds", "Darker is better on that fold: rank among the settings.", drawing(draw), table)


def _again(folder: RunFolder) -> list[Command]:
    ref = reference(folder)
    return [(f"dlexp compare {ref} OTHER", "pairs two cvs fold by fold"), (f"dlexp show {ref}", "in the terminal")]
