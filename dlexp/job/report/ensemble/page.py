"""The page of an ensemble: whether averaging was worth it, its members, and where it errs."""

from typing import TYPE_CHECKING, Any

from dlexp.config.wording import command_line
from dlexp.job.report import classifier
from dlexp.job.report.answer import Answers, read_answers
from dlexp.job.report.frame import Command, about_line, closing
from dlexp.job.report.picture import drawing
from dlexp.job.report.regression import residual_block
from dlexp.job.report.train import data_name
from dlexp.job.report.words import name_of, score, sentence, span
from dlexp.number import between, decimal, duration, noun
from dlexp.report.model import Block, Card, Figure, Page, Row, Section, Table
from dlexp.run.folder import RunFolder
from dlexp.run.listing.page import RunPage
from dlexp.run.measure import read_class_names
from dlexp.run.name import reference
from dlexp.run.stored import require_unedited

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure

CONTENDERS = {"nested": "ensemble", "best": "best model", "equal": "mean of all"}
MEANING = {
    "nested": "each example is predicted by what was chosen without it",
    "best": "the best by itself, chosen and scored in the same way",
    "equal": "every model has the same weight; nothing is chosen",
}


def page_of_ensemble(folder: RunFolder, document: RunPage) -> Page:
    """Return the page of an ensemble.

    Args:
        folder: The run's.
        document: What is known of it.

    Raises:
        RunError: It was edited, or has no result.
    """
    require_unedited(folder)
    run = document["run"]
    result: dict[str, Any] = {**run}
    answers = read_answers(folder)
    scores: list[dict[str, Any]] = result["scores"]
    sections = [
        Section("Was it worth it?", [_scores(scores), *(_differences(each) for each in scores)]),
        Section("Members", [_members(result)]),
        Section("Where it errs", _errors(folder, answers, result)),
        *closing(document, _again(folder)),
    ]
    notes = [*document["faults"], *map(sentence, result["notes"]), *([run["note"]] if run["note"] else [])]
    question = f"Is a mean of {noun(result['num_models'], 'model')} better than the best of them on {data_name(run)}?"
    return Page(about_line(run), question, _answer(result), _cards(result), sections, notes)


def _answer(result: dict[str, Any]) -> str:
    first = result["scores"][0]
    pair = first["pairs"][0]
    size = f"{decimal(pair['difference'], sign='+')} ({between(pair['interval'], '+')})"
    told = {"a": "Yes", "b": "No: the best model is better"}.get(pair["verdict"], "Cannot tell")
    told = "No: a single model was chosen" if len(result["members"]) == 1 else told
    ends = span(first["metric"], first["nested"]["interval"])
    value = f"{score(first['metric'], first['nested']['value'])}{f' ({ends})' if ends else ''}"
    return (
        f"{told}: {value} {name_of(first['metric'])} on {result['num_examples']:,} held-out examples, ensemble - best "
        f"model {size}, p = {pair['p_holm']:.2g}."
    )


def _cards(result: dict[str, Any]) -> list[Card]:
    first = result["scores"][0]
    name = name_of(first["metric"])
    cards = [
        Card(f"{name}, {CONTENDERS[key]}", score(first["metric"], first[key]["value"]), span_of(first, key))
        for key in CONTENDERS
    ]
    flattered = score(first["metric"], first["flattered"])
    return [
        *cards,
        Card(f"{name}, flattered", flattered, "on the very examples that chose it"),
        Card("chosen", f"{len(result['members'])} of {result['num_models']}", duration(result["choosing_seconds"])),
    ]


def span_of(each: dict[str, Any], key: str) -> str:
    """Return the interval of a contender's score."""
    return span(each["metric"], each[key]["interval"]) or "no interval"


def _scores(scores: list[dict[str, Any]]) -> Table:
    columns = ["who", *(each["metric"] for each in scores), "what it is"]
    rows = [
        Row(
            (
                name,
                *(f"{score(each['metric'], each[key]['value'])} ({span_of(each, key)})" for each in scores),
                MEANING[key],
            )
        )
        for key, name in CONTENDERS.items()
    ]
    flattered = [score(each["metric"], each["flattered"]) for each in scores]
    alone = [score(each["metric"], each["mean_member"]) for each in scores]
    rows.append(Row(("ensemble, flattered", *flattered, "chosen and scored on the same examples")))
    rows.append(Row(("a model", *alone, "the mean over the models by themselves")))
    return Table("with 95 % intervals", columns, rows)


def _differences(each: dict[str, Any]) -> Figure:
    compared = {"metric": each["metric"], "pairs": each["pairs"], "runs": _labelled()}
    rows = [
        Row((p["a"], p["b"], p["difference"], *p["interval"], p["p_value"], p["p_holm"], _verdict(p)))
        for p in each["pairs"]
    ]

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.compare import difference_figure

        return difference_figure(compared)

    columns = ("a", "b", "difference a - b", "low", "high", "p", "p (Holm)", "verdict")
    told = sum(pair["verdict"] != "cannot tell" for pair in each["pairs"])
    finding = f"{told} of {noun(len(rows), 'difference')} in {name_of(each['metric'])} lie clear of zero."
    title = f"Differences in {name_of(each['metric'])}"
    return Figure(title, finding, drawing(draw), Table(f"every pair in {name_of(each['metric'])}", columns, rows))


def _labelled() -> list[dict[str, str]]:
    return [{"run_id": name, "label": name} for name in CONTENDERS.values()]


def _verdict(pair: dict[str, Any]) -> str:
    return pair["verdict"] if pair["verdict"] == "cannot tell" else f"{pair[pair['verdict']]} is better"


def _members(result: dict[str, Any]) -> Table:
    rows = [
        Row((m["label"], m["weight"], m["value"], f"{round(m['chosen'] * result['choices'])} of {result['choices']}"))
        for m in result["members"]
    ]
    columns = ("model", "weight", f"{result['chosen_by']} by itself", "chosen without some examples")
    return Table("the heaviest first", columns, rows)


def _errors(folder: RunFolder, answers: Answers, result: dict[str, Any]) -> list[Block]:
    if answers.outputs.ndim == 1:
        return [residual_block(answers, "value")]
    names = read_class_names(folder) or [str(k) for k in range(max(2, answers.outputs.shape[1]))]
    counts_KK = classifier.confusion(answers, names)
    error = result["metrics"].get("val/calibration_error")
    return [
        classifier.confusion_block(counts_KK, names),
        classifier.class_block(counts_KK, names),
        classifier.reliability_block(answers, error),
    ]


def _again(folder: RunFolder) -> list[Command]:
    ref = reference(folder)
    return [
        (command_line("eval", [ref, "--split", "test"]), "opens the sealed test part; each opening is counted"),
        (command_line("predict", [ref, "FILE"]), "answers for new examples"),
    ]
