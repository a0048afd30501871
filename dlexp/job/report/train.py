"""The page of a training run."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlexp.error import DlexpError
from dlexp.figure.inside.weight import read_weights
from dlexp.job.report import classifier
from dlexp.job.report.answer import Answers, Score, by_target, measure_score, read_answers
from dlexp.job.report.curve import curve_figure
from dlexp.job.report.example import example_blocks, read_pictures
from dlexp.job.report.frame import Command, about_line, closing, time_card
from dlexp.job.report.inside import filter_blocks, weight_block
from dlexp.job.report.regression import reconstruction_block, residual_block
from dlexp.job.report.words import listed, name_of, score, sentence, span
from dlexp.number import decimal, noun
from dlexp.report.model import Block, Card, Page, Section, Text
from dlexp.run.document import RunRecord
from dlexp.run.folder import RunFolder
from dlexp.run.listing.guessing import is_a_guess
from dlexp.run.listing.page import RunPage
from dlexp.run.measure import read_layers
from dlexp.run.name import reference
from dlexp.run.stored import require_unedited
from dlexp.type import RECONSTRUCT

_UNTOLD = ("data.", "cv.", "tracking.", "launcher.", "trainer.threads", "trainer.device")  # no part of a question
VERBS = {  # what is done to data
    "regression": "predict",
    RECONSTRUCT: "reconstruct",
    "pairs": "tell the same from different pairs of",
}
_GUESS = {
    "val/accuracy": "the most frequent class",
    "val/rmse": "the mean of the training targets",
    "val/explained_variance": "the mean of the training inputs",
}


def page_of_training(folder: RunFolder, document: RunPage) -> Page:
    """Return the page of a run, a trial or a fold; what it has not reached yet is left out.

    Args:
        folder: The run's.
        document: What is known of it.
    """
    run = document["run"]
    require_unedited(folder)
    history = folder.history()
    answers, missing = _answers(folder)
    seen = None if answers is None or not answers.is_finite else _measured(answers, run)
    sections: list[Section] = []
    best_epoch = run_fields(run).get("best_epoch", 0)
    monitor = folder.manifest["monitor"]["metric"]
    names = class_names(run, answers)
    first: list[Block] = [curve_figure(history, best_epoch, monitor)] if history else []
    if answers is not None and seen is not None:
        first += _error_blocks(folder, answers, names, run)
    sections.append(Section("What it learnt and where it errs", first or [Text("No epoch is recorded.")]))
    if answers is not None and seen is not None:
        sections += target_sections(folder, answers)
    if answers is not None and seen is not None and names:
        sections.append(Section("Examples", example_blocks(answers, names, read_pictures(folder))))
    weights = read_weights(folder.checkpoints / "best", read_layers(folder))
    if weights:
        sections.append(Section("Inside the model", [weight_block(weights), *filter_blocks(weights)]))
    return Page(
        about_line(run),
        _question(run),
        _answer(run, seen, history, missing),
        score_cards(run, seen),
        [*sections, *closing(document, commands_again(folder, run))],
        [*document["faults"], *_notes(run)],
    )


def run_fields(run: RunRecord) -> dict[str, Any]:
    """Return a record with the fields of its result too."""
    return {**run}


def class_names(run: RunRecord, answers: Answers | None) -> list[str]:
    """Return the names of the classes; empty for values."""
    if answers is None or answers.outputs.ndim == 1 or answers.targets.ndim > 1:
        return []
    report = run_fields(run).get("report") or {}
    named = (report.get("val") or {}).get("recall_class")
    num = max(2, answers.outputs.shape[1], int(answers.targets.max(initial=0)) + 1)
    return list(named) if named and len(named) == num else [str(k) for k in range(num)]


def _answers(folder: RunFolder) -> tuple[Answers | None, str]:
    try:
        return read_answers(folder), ""
    except (DlexpError, OSError) as error:
        return None, str(error)


def _error_blocks(folder: RunFolder, answers: Answers, names: Sequence[str], run: RunRecord) -> list[Block]:
    if answers.targets.ndim > 1:
        return []
    if run["task"] == RECONSTRUCT:
        return [reconstruction_block(folder, answers)]
    if not names:
        target = folder.config.get("data", {}).get("target") or "value"
        return [residual_block(answers, str(target))]
    counts_KK = classifier.confusion(answers, names)
    if run["task"] == "pairs":
        return [classifier.confusion_block(counts_KK, names), classifier.similarity_block(answers, names)]
    error = run["metrics"].get("val/calibration_error")
    return [
        classifier.confusion_block(counts_KK, names),
        classifier.class_block(counts_KK, names),
        classifier.reliability_block(answers, error),
    ]


def _measured(answers: Answers, run: RunRecord) -> Score:
    """Return the score that the page begins with; of several targets the weighted sum of their losses."""
    if answers.targets.ndim == 1:
        return measure_score(answers, run["metric"])
    name = run["metric"] if run["metric"] in run["metrics"] else "val/loss"
    return Score(name or "val/loss", float(run["metrics"].get(name) or np.nan), None, len(answers.ids))


def target_sections(folder: RunFolder, answers: Answers, split: str = "validation") -> list[Section]:
    """Return a section for each of several targets: its score, and where it errs.

    Args:
        folder: Of the training, or of one of those whose answers were pooled.
        answers: To all targets.
        split: What the examples were.
    """
    sections = []
    for head, alone in by_target(folder, answers):
        if not len(alone.ids):
            continue
        seen = measure_score(alone, None)
        ends = span(seen.metric, seen.interval)
        told = f"{name_of(seen.metric).capitalize()} {score(seen.metric, seen.value)}{f' ({ends})' if ends else ''}"
        blocks: list[Block] = [Text(f"{told} of {noun(seen.num, f'{split} example')} that have {head.name}.")]
        if head.class_names:
            counts_KK = classifier.confusion(alone, head.class_names)
            blocks.append(classifier.confusion_block(counts_KK, head.class_names, split))
            blocks.append(classifier.class_block(counts_KK, head.class_names))
        else:
            blocks.append(residual_block(alone, head.name))
        sections.append(Section(f"Target {head.name}", blocks))
    return sections


def setting_words(run: RunRecord) -> str:
    """Return what a user set beside data and model, in words; "" for nothing."""
    typed = {key: value for key, value in run["params"].items() if "." in key and not key.startswith(_UNTOLD)}
    words = [f"{key.rpartition('.')[2].replace('_', ' ')} {value}" for key, value in sorted(typed.items())]
    return f" with {listed(words)}" if words else ""


def data_name(run: RunRecord) -> str:
    """Return the name of a run's data."""
    data = run_fields(run).get("data") or {}
    return str(data.get("name") or run["params"].get("data") or "its data")


def _question(run: RunRecord) -> str:
    model = run["params"].get("model") or "the model"
    verb = VERBS.get(run["task"] or "", "tell apart")
    return f"How well does {model}{setting_words(run)} {verb} {data_name(run)}?"


def _answer(run: RunRecord, seen: Score | None, history: list[dict[str, Any]], missing: str) -> str:
    if seen is None:
        reason = missing or ("its outputs are not finite" if run["status"] == "diverged" else "no epoch ended well")
        return f"No answer: the run is {run['status'].replace('_', ' ')}; {reason}."
    ends = span(seen.metric, seen.interval)
    within = f" ({ends})" if ends else ""
    if seen.metric == "val/accuracy":
        text = f"{score(seen.metric, seen.value)} of {noun(seen.num, 'validation example')}{within}"
    else:
        text = (
            f"{name_of(seen.metric)} {score(seen.metric, seen.value)}{within} on {noun(seen.num, 'validation example')}"
        )
    text += "".join(
        f"; guessing {_GUESS.get(name, 'it')} gets {score(name, value)}"
        for name, value in (run_fields(run).get("guess") or {}).items()
        if name == seen.metric
    )
    return f"{text}. {_advice(run, history)}".strip()


def _advice(run: RunRecord, history: list[dict[str, Any]]) -> str:
    best = run_fields(run).get("best_epoch", 0)
    if run["status"] in ("diverged", "failed", "interrupted", "killed"):
        return f"The run was {run['status']}: this is its best epoch, {best}."
    if history and best == history[-1]["epoch"] and len(history) > 1:
        return "Still improving at the last epoch: train longer."
    if best and history and best <= len(history) // 3 and len(history) >= 6:
        return f"Best at epoch {best} of {len(history)}: it overfits from there; regularise more or stop earlier."
    return ""


def score_cards(run: RunRecord, seen: Score | None) -> list[Card]:
    """Return the numbers of a training: its score, that of guessing, the score corrected, the best epoch, the time.

    Args:
        run: Its record.
        seen: What its validation examples say; None without answers.
    """
    fields = run_fields(run)
    guess, selection = fields.get("guess") or {}, fields.get("selection") or {}
    cards = []
    if seen is not None:
        of = f"{span(seen.metric, seen.interval) or 'no interval'}, of {seen.num:,}"
        cards.append(Card(f"validation {name_of(seen.metric)}", score(seen.metric, seen.value), of))
    if guess:
        name, value = next(iter(guess.items()))
        near = "".join(f"; 5-NN {score(name, each)}" for each in (fields.get("neighbors") or {}).values())
        cards.append(Card("by guessing", score(name, value), f"{name_of(name)}, {_GUESS.get(name, '')}{near}"))
    if "corrected" in selection:
        ends = span(selection["metric"], selection["corrected_interval"])
        if seen is None or seen.metric != selection["metric"]:
            ends = f"{name_of(selection['metric'])}, {ends}"
        cards.append(Card("corrected for picking the epoch", score(selection["metric"], selection["corrected"]), ends))
    if fields.get("best_epoch"):
        cards.append(
            Card("best epoch", str(fields["best_epoch"]), f"of {fields.get('epochs', '?')}, by {run['metric']}")
        )
    if "num_params" in fields and len(cards) < 4:
        cards.append(Card("parameters", f"{fields['num_params']:,}"))
    return [*cards, time_card(run)]


def _notes(run: RunRecord) -> list[str]:
    """Return what a reader should not miss."""
    fields = run_fields(run)
    selection = fields.get("selection") or {}
    notes = (
        [sentence(f"not corrected for picking the best epoch: {selection['not_corrected']}")]
        if "not_corrected" in selection
        else []
    )
    duplicates = (fields.get("data") or {}).get("duplicates") or {}
    if duplicates.get("val"):
        notes.append(f"{noun(duplicates['val'], 'validation example')} also stand in the training part.")
    if is_a_guess(run):
        name, floor = next(iter(fields["guess"].items()))
        notes.append(f"{name} {decimal(run['metrics'].get(name))} is no better than guessing, {decimal(floor)}.")
    return [*notes, *([run["note"]] if run["note"] else [])]


def commands_again(folder: RunFolder, run: RunRecord) -> list[Command]:
    """Return the commands that go on with a run; two inputs are compared where it learnt of pairs."""
    ref = reference(folder)
    commands = [(f"dlexp compare --noise {ref}", "how far seeds alone move this result")]
    if (run_fields(run).get("data") or {}).get("num_test"):
        commands.append((f"dlexp eval {ref} --split test", "opens the sealed test part; each opening is counted"))
    given = "FIRST SECOND" if run["task"] == "pairs" else "FILE"
    return [*commands, (f"dlexp predict {ref} {given}", "answers for new examples")]
