"""`card.md`: what a model is, how well it does, on what, and where it ends, for people and for the Hugging Face hub.

Its first lines are YAML: the fields of a model card and its `model-index`, in which results are listed as
name, results[task, dataset, metrics].

References:
    M. Mitchell et al. (2019), Model Cards for Model Reporting, FAT*; the hub's model card specification.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dlexp.error import DlexpError
from dlexp.execution.save.saved_model import heads_stated
from dlexp.job.export.source import Source
from dlexp.job.report.answer import Answers, Score, by_target, measure_score, read_answers
from dlexp.job.report.words import name_of, score, span
from dlexp.number import noun, significant
from dlexp.report import markdown
from dlexp.report.model import Commands, Row, Section, Table, Text
from dlexp.run.folder import RunFolder
from dlexp.run.listing.exported import ExportRecord
from dlexp.run.measure import read_measure
from dlexp.run.name import clean

NAME = "card.md"
_CLASSES = ("accuracy", "balanced_accuracy", "f1_macro", "log_loss", "calibration_error")
_VALUES = ("rmse", "mae", "r2")
_PAIRS = ("accuracy", "roc_auc", "eer")
_WORDS = {"val": "validation", "test": "test"}
_LICENCE = "license:  # left blank: whoever publishes the model names it\n"
_PLACES = ("runs_dir", "tracking", "launcher")  # overrides that say where it was run
_MOST_LEVELS = 20  # of a column that are named


class Card:
    """The card of one model, from its run's folder.

    Args:
        source: Whose model.
        facts: See `dlexp.export.facts`.
        exports: The files beside the card.
    """

    def __init__(self, source: Source, facts: dict[str, Any], exports: list[ExportRecord]) -> None:
        self.source, self.folder, self.about = source, source.folder, facts["about"]
        self.manifest, self.result = self.folder.manifest, self.folder.result or {}
        self.config, self.exports = facts["config"], exports
        self.data: dict[str, Any] = {**self.manifest["data"], **self.result.get("data", {})}
        self.openings = int(self.manifest.get("test_openings", 0))
        self.pairs: dict[str, Any] | None = self.about.get("pairs")
        self.heads = heads_stated(self.about)
        self.has_classes = bool(self.heads[0].num_classes if self.heads else self.about["class_names"])
        names = _PAIRS if self.pairs else _CLASSES if self.has_classes else _VALUES
        self.scores = list(_scores(self.folder, names, self.openings))

    def text(self) -> str:
        """Return the card."""
        sections = [
            Section("Intended use", [Text(self._use()), Commands(self._commands()), self._files()]),
            Section("Inputs and outputs", self._interface()),
            Section("Metrics", self._metrics()),
            Section("Data", [Table("what it was trained on", ("what", "value"), list(self._data()))]),
            Section("Limits", [Text(line) for line in self._limits()]),
            Section("Licence", [Text("Not stated: whoever publishes the model names it.")]),
            Section("Training", [Table("what was set", ("key", "value"), list(self._settings()))]),
        ]
        return f"---\n{self._front()}---\n\n# {markdown.escape(self._title())}\n{markdown.body(sections)}"

    def _title(self) -> str:
        return f"{self.manifest['model']} on {self.data['name']}"

    def _front(self) -> str:
        """Return the lines between the marks: valid YAML whatever data and classes are called."""
        name = f"{self.manifest['model']}-{clean(str(self.data['name'])) or 'data'}-{self.folder.run_id}"
        tag, words = self._pipeline()
        dataset = {"name": str(self.data["name"]), "type": clean(str(self.data["name"])).lower() or "data"}
        results = [
            {
                "task": {"type": tag, "name": words},
                "dataset": {**dataset, "split": _WORDS[part]},
                "metrics": [
                    {"type": each.metric.partition("/")[2], "value": each.value, "name": _label(each)}
                    for each in scores
                ],
            }
            for part, scores in self._by_part().items()
        ]
        fields = {
            "library_name": "dlexp",
            "pipeline_tag": tag,
            "tags": ["dlexp", *sorted({export["format"] for export in self.exports})],
            "model-index": [{"name": name, "results": results}],
        }
        return _LICENCE + yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)

    def _pipeline(self) -> tuple[str, str]:
        kind = "image" if len(self.about["in_shape"]) == 3 else "tabular"
        if self.pairs:  # the hub has no task of its own for them
            return ("image-" if kind == "image" else "") + "feature-extraction", f"{kind.title()} Verification"
        job = "classification" if self.has_classes else "regression"  # of several targets by the first
        return f"{kind}-{job}", f"{kind.title()} {job.title()}"

    def _by_part(self) -> dict[str, list[Score]]:
        parts = dict.fromkeys(each.metric.partition("/")[0] for each in self.scores)
        return {part: [each for each in self.scores if each.metric.startswith(f"{part}/")] for part in parts}

    def _use(self) -> str:
        classes = self.about["class_names"]
        what = f"which of {noun(len(classes), 'class')}" if classes else "which value"
        kinds = (noun(head.num_classes, "class") if head.num_classes else "a value" for head in self.heads)
        targets = ", ".join(f"{head.name} ({kind})" for head, kind in zip(self.heads, kinds, strict=True))
        if self.heads:
            what = f"for each of {targets} which"
        told = "whether two inputs are the same, of inputs" if self.pairs else f"{what} an example has, of examples"
        return (
            f"It says {told} that come from where those of {self.data['name']} came from, "
            "and are measured in the same way. It was checked on no others."
        )

    def _commands(self) -> list[tuple[str, str]]:
        given = "FIRST SECOND" if self.pairs else "INPUT"
        return [(f"dlexp predict {Path(export['path']).name} {given}", "") for export in self.exports]

    def _files(self) -> Table:
        rows = [Row((Path(e["path"]).name, e["bytes"], f"{e['difference']:.2g}", e["sha256"])) for e in self.exports]
        caption = "each file, and its largest difference from the run's own outputs in batches of 1, 7 and 64"
        return Table(caption, ("file", "bytes", "difference", "SHA-256"), rows)

    def _interface(self) -> list[Text | Table]:
        blocks: list[Text | Table] = [Text(line) for line in self._shapes()]
        columns = (self.about["encoding"] or {}).get("features")
        if columns:
            rows = [Row((column["name"], _inputs_of(column))) for column in columns]
            blocks.append(Table("columns, in the order of the inputs", ("column", "inputs"), rows))
        named = {"classes": self.about["class_names"]} if self.about["class_names"] and not self.pairs else {}
        named |= {f"classes of {head.name}": head.class_names for head in self.heads if head.num_classes}
        for what, names in named.items():
            rows = [Row((place, name)) for place, name in enumerate(names)]
            blocks.append(Table(f"{what}, in the order of the outputs", ("number", "class"), rows))
        return blocks

    def _shapes(self) -> Iterator[str]:
        shape, given = self.about["in_shape"], "first and second" if self.pairs else ""
        if len(shape) == 3:
            encoding = self.about["encoding"] or {}
            is_resized = shape[1] == shape[2] and encoding.get("size", shape[-1]) is not None
            free = f"of any size, brought to {shape[1]} x {shape[2]} ({encoding.get('fit', 'crop')}) in the file"
            fixed = f"of {shape[1]} x {shape[2]} pixels"
            yield f"{given or 'pixels'}: float32 (N, {shape[0]}, H, W) in [0, 1], {free if is_resized else fixed}."
        else:
            yield (
                f"{given or 'features'}: float64 (N, {shape[0]}), NaN for a missing number, which counts as the "
                "training mean. Numbers are as in the table; a text sets one of its column's inputs to 1, the others "
                "to 0. That step is no function of tensors and not in the file: dlexp does it, or whoever calls it."
            )
        num = self.about["num_outputs"]
        if self.pairs:
            cosine, distance = "<z, z'> / (|z| |z'|)", "-|z - z'|"
            yield (
                f"similarity: (N,), {cosine if self.pairs['similarity'] == 'cosine' else distance} of the embeddings z "
                f"and z'; first_embedding, second_embedding: (N, {num}). Two inputs are called the same where it is "
                f"above {significant(self.pairs['threshold'], 6)}, which training pairs chose. Normalisation is in the "
                "file."
            )
        elif self.heads:
            yield from self._of_heads()
        elif self.about["class_names"]:
            column = ", the logit of class 1" if num == 1 else ""
            yield (
                f"outputs: (N, {num}){column}; probabilities: (N, {len(self.about['class_names'])}). "
                "Normalisation is in the file."
            )
        else:
            yield "values: float64 (N,), in the target's unit. Normalisation is in the file."

    def _of_heads(self) -> Iterator[str]:
        """Say what is put out of several targets."""
        yield (
            f"outputs: float64 (N, {self.about['num_outputs']}), those of all targets side by side, a logit for each "
            "class (of two for the second alone), values in the target's unit. Normalisation is in the file."
        )
        for head in self.heads:
            classes = f"{head.label}.probabilities: (N, {head.num_classes})."
            yield classes if head.num_classes else f"{head.label}.values: float64 (N,)."

    def _metrics(self) -> list[Text | Table]:
        opened = f"opened {noun(self.openings, 'time')}" if self.openings else "sealed: it was never opened"
        part = "There is no test part." if not self.data.get("num_test") else f"The test part is {opened}."
        if not self.scores:
            return [Text("No validation part: the model was trained on it too."), Text(part)]
        rows = [
            Row((_WORDS[each.metric.partition("/")[0]], _name(each.metric), score(each.metric, each.value),
                 span(each.metric, each.interval), each.num))
            for each in self.scores
        ]  # fmt: skip
        columns = ("part", "metric", "value", "95 % interval", "examples")
        return [Table("on examples that it was not fitted to", columns, rows), Text(part)]

    def _data(self) -> Iterator[Row]:
        yield Row(("name", str(self.data["name"])))
        yield Row(("fingerprint (SHA-256)", self.data["fingerprint"]))
        for name in ("train", "val", "test"):
            yield Row((_WORDS.get(name, "training") + " examples", self.data.get(f"num_{name}")))
        for name, count in (self.data.get("train_counts") or {}).items():
            yield Row((f"training examples of {name}", count))

    def _limits(self) -> Iterator[str]:
        run, sweep = self.result.get("selection") or {}, self.source.sweep
        if "optimism" in run:
            yield (
                f"The best of {noun(self.result.get('epochs', 0), 'epoch')} was chosen on the validation part, which "
                f"flatters its {name_of(run['metric'])} by about {significant(run['optimism'], 2)}."
            )
        if sweep is not None and self.source.num_settings > 1:
            yield self._picked((sweep.result or {}).get("selection") or {})
        duplicates = (self.data.get("duplicates") or {}).get("val")
        if duplicates:
            yield f"{noun(duplicates, 'validation example')} also stand in the training part."
        if self.data.get("is_imbalanced"):
            yield "Classes are unequal in number: look at the metrics by class before relying on a rare one."
        if (self.about["encoding"] or {}).get("features"):
            yield "A category that training had not sets no input; the answer then rests on the other columns."
        numbers = "similarities" if self.pairs else "probabilities"
        yield f"Inputs far from those of training get an answer too, and {numbers} are no warning of that."

    def _picked(self, selection: dict[str, Any]) -> str:
        settings = noun(self.source.num_settings, "setting")
        text = f"It is number {self.source.place} of {settings}, by the same validation part"
        if self.source.place == 1 and "corrected" in selection:
            metric = (self.source.sweep.result or {}).get("metric", "") if self.source.sweep else ""
            return f"{text}: corrected for that, its {name_of(metric)} is {score(metric, selection['corrected'])}."
        return f"{text}, which flatters it."

    def _settings(self) -> Iterator[Row]:
        yield Row(("dlexp", str((self.manifest.get("packages") or {}).get("dlexp", ""))))
        yield Row(("run", self.folder.run_id))
        yield Row(("parameters", self.manifest["num_params"]))
        yield Row(("epochs", f"{self.result.get('best_epoch', '?')} of {self.result.get('epochs', '?')}"))
        for text in self.folder.overrides:
            key, _, value = text.lstrip("+~").partition("=")
            if key.partition(".")[0] not in _PLACES:
                yield Row((key, Path(value).name if key in ("data.path", "data.root", "model.weights") else value))


def _scores(folder: RunFolder, names: tuple[str, ...], openings: int) -> Iterator[Score]:
    """Yield metrics with intervals, of the validation part and of a test part that was opened."""
    for part in ("val", "test") if openings else ("val",):
        try:
            answers = read_answers(folder) if part == "val" else _test_answers(folder)
        except (DlexpError, OSError):
            continue
        if not (answers.is_finite and len(answers.targets)):
            continue
        by_head = [
            (f"{head.label}/", its, _CLASSES if head.num_classes else _VALUES)
            for head, its in by_target(folder, answers)
        ]
        for prefix, each, of_each in by_head or [("", answers, names)]:
            for name in of_each:
                seen = measure_score(each, f"val/{name}")
                yield Score(f"{part}/{prefix}{name}", seen.value, seen.interval, seen.num)


def _test_answers(folder: RunFolder) -> Answers:
    stored = folder.predictions("test")
    return Answers(stored["id"], stored["target"], stored["output"], read_measure(folder))


def _label(each: Score) -> str:
    """Return a metric's name with its interval."""
    part, _, _ = each.metric.partition("/")
    ends = "" if each.interval is None else f" (95 %: {each.interval[0]:.4g} to {each.interval[1]:.4g})"
    return f"{_WORDS[part]} {_name(each.metric)}{ends}"


def _name(metric: str) -> str:
    """Return what a metric is called, of several targets after the target's name."""
    return " ".join([*metric.split("/")[1:-1], name_of(metric)])


def _inputs_of(column: dict[str, Any]) -> str:
    levels = column["levels"]
    if levels is None:
        return "1: the number"
    more = f" and {len(levels) - _MOST_LEVELS} more" if len(levels) > _MOST_LEVELS else ""
    return f"{len(levels)}: {', '.join(levels[:_MOST_LEVELS])}{more}"
