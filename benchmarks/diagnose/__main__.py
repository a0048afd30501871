"""`python -m benchmarks.diagnose`: planted faults and healthy trainings, diagnosed; resumable.

Faults: 18 x 3 architectures x 5 seeds on 450 pictures of Fashion-MNIST, of which 360 train and 90 validate; 100 updates
are looked at. The printed override is then applied and both trainings run for 10 epochs; a cure counts where validation
accuracy is higher by a one-sided paired t-test over the seeds (p < 0.05). A fault counts as harmful where the faulty
training is worse, by the same test, than the architecture without it. Healthy: 200 trainings on six sets that the
thresholds were not set on; where a finding is made, the override is tried over the seeds, by validation loss.
"""

import argparse
import json
import math
import statistics
from collections import defaultdict
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from scipy.stats import ttest_rel

from benchmarks.diagnose.case import ADAM, ARCHITECTURES, FAULTS, SEEDS, healthy, overrides_of, write_pictures
from benchmarks.diagnose.table import tables
from benchmarks.measure import RESULTS, replace_between, write
from dlexp.build.dataset import load_data
from dlexp.build.program import assemble
from dlexp.config.compose import Composed
from dlexp.config.resolve import resolve
from dlexp.data.dataset import Dataset
from dlexp.diagnose.evidence import observe, try_cure
from dlexp.diagnose.finding import findings_of, with_cure
from dlexp.engine.divergence import constant_loss
from dlexp.engine.event import EpochEnd
from dlexp.error import DlexpError

EPOCHS, PICTURES, HEALTHY = 10, 450, 200
ALWAYS = ["tracking=none", "trainer.threads=1", f"trainer.epochs={EPOCHS}"]
NOTE = (
    "planted faults: rule of the first finding, its override, validation accuracy after 10 epochs without and with it; "
    "healthy trainings: findings, which are false alarms. harmful: the fault lowers accuracy by a paired test"
)


class Work:
    """The folder of pictures and of what is done already."""

    def __init__(self, folder: Path, root: str) -> None:
        self.folder, self.path = folder, folder / "rows.jsonl"
        if not (folder / "plain.npz").exists():
            folder.mkdir(parents=True, exist_ok=True)
            data = load_data(resolve(["data=fashion_mnist", f"data.root={root}", f"data.limit={PICTURES}"]).config)
            rows = data.train[:PICTURES]
            write_pictures(folder, data.inputs[rows].squeeze(-1).numpy() / 255, data.targets[rows].numpy())
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.rows: dict[str, dict[str, Any]] = {row["key"]: row for row in map(json.loads, lines)}

    def words(self, overrides: list[str]) -> list[str]:
        """Return overrides with the path of the pictures in the place of their name."""
        name = next(text.partition("=")[2] for text in overrides if text.startswith("data="))
        pictures = ["data=arrays", f"data.path={self.folder}/{name}.npz", "data.test_fraction=0"]
        rest = [text for text in overrides if not text.startswith("data=")]
        return [*ALWAYS, *rest, *(pictures if (self.folder / f"{name}.npz").exists() else [f"data={name}"])]

    def add(self, row: dict[str, Any]) -> None:
        """Keep a row."""
        self.rows[row["key"]] = row
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)


@cache
def data_of(words: tuple[str, ...]) -> Dataset:
    """Return a data set, read once."""
    return load_data(resolve(list(words)).config)


def program(composed: Composed) -> Any:
    """Return the program of a configuration, its data read once."""
    words = tuple(text for text in composed.overrides if text.startswith("data"))
    return assemble(composed.config, data_of(words))


def diagnosed(composed: Composed) -> list[Any]:
    """Return the findings of a configuration."""
    built = program(composed)
    evidence = observe(built, composed.choices)
    return [f for f in findings_of(evidence, composed, partial(try_cure, built.dataset)) if f["is_finding"]]


def last(composed: Composed, name: str, otherwise: float) -> float:
    """Return a metric of the last epoch, or another value where the loss is not finite."""
    ends = [event for event in program(composed).run.events() if isinstance(event, EpochEnd)]
    return ends[-1].metrics[name] if ends and ends[-1].epoch == EPOCHS else otherwise


def accuracy(composed: Composed) -> float:
    """Return the validation accuracy of the last epoch; 0 where the loss is not finite."""
    return last(composed, "val/accuracy", 0.0)


def plant(work: Work, fault: str, architecture: str, seed: int) -> None:
    """Diagnose one training with a planted fault, and cure it."""
    key = f"{fault} / {architecture} / {seed}"
    if key in work.rows:
        return
    composed = resolve(work.words(overrides_of(fault, architecture, seed)))
    findings = diagnosed(composed)
    first = findings[0] if findings else None
    override = None if first is None else first["override"]
    cured = None if override is None else accuracy(resolve(with_cure(composed.overrides, override)))
    row = {"key": key, "kind": "fault", "fault": fault, "architecture": architecture, "seed": seed}
    row |= {"rule": None if first is None else first["rule"], "rules": [f["rule"] for f in findings]}
    work.add(row | {"override": override, "faulty": accuracy(composed), "cured": cured})


def base(work: Work, architecture: str, seed: int) -> None:
    """Train an architecture without a fault."""
    key = f"base / {architecture} / {seed}"
    if key not in work.rows:
        settings = {"data": "plain", **ADAM, "seed": str(seed)}
        words = [*ARCHITECTURES[architecture], *(f"{name}={value}" for name, value in settings.items())]
        work.add(
            {"key": key, "kind": "base", "architecture": architecture, "accuracy": accuracy(resolve(work.words(words)))}
        )


def alarm(work: Work, number: int, overrides: list[str]) -> None:
    """Diagnose a healthy training."""
    key = f"healthy / {number}"
    if key not in work.rows:
        try:
            rules = [f["rule"] for f in diagnosed(resolve(work.words(overrides)))]
        except DlexpError as error:
            rules = [f"error: {error}"]
        work.add({"key": key, "kind": "healthy", "overrides": overrides, "rules": rules})


def try_alarm(work: Work, number: int) -> None:
    """Train a healthy training that a finding was made on with and without the override, over the seeds.

    One that diverges counts as a constant prediction.
    """
    alarmed = work.rows[f"healthy / {number}"]
    rest = [text for text in alarmed["overrides"] if not text.startswith("seed=")]
    if not alarmed["rules"] or f"alarm / {number}" in work.rows:
        return
    override = diagnosed(resolve(work.words(alarmed["overrides"])))[0]["override"]
    pairs, diverged = [], 0
    for seed in SEEDS:
        composed = resolve(work.words([*rest, f"seed={seed}"]))
        cured, run = resolve(with_cure(composed.overrides, override)), program(composed).run
        losses = [last(each, "val/loss", math.inf) for each in (cured, composed)]
        diverged += losses[1] == math.inf
        pairs.append([min(loss, constant_loss(run.task, run.step.rules.loss, 0)) for loss in losses])
    row = {"key": f"alarm / {number}", "kind": "alarm", "number": number, "override": override, "losses": pairs}
    work.add(row | {"diverged": diverged})


def is_better(pairs: list[tuple[float, float]]) -> bool:
    """Say whether the second of each pair is larger by a one-sided paired t-test."""
    differences = [after - before for before, after in pairs]
    if len(pairs) < 2:
        return False
    if statistics.stdev(differences) == 0:
        return min(differences) > 0
    before, after = zip(*pairs, strict=True)
    return float(ttest_rel(after, before, alternative="greater").pvalue) < 0.05


def summed_up(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each fault and architecture, one for the healthy trainings, and one for everything."""
    bases = defaultdict(list)
    for row in rows:
        if row["kind"] == "base":
            bases[row["architecture"]].append(row["accuracy"])
    tried = {row["key"].replace("alarm", "healthy"): row for row in rows if row["kind"] == "alarm"}
    table = []
    for fault, (_, causes) in FAULTS.items():
        for architecture in ARCHITECTURES:
            chosen = [r for r in rows if r.get("fault") == fault and r["architecture"] == architecture]
            if not chosen:
                continue
            pairs = [(row["faulty"], good) for row, good in zip(chosen, bases[architecture], strict=False)]
            cures = [(row["faulty"], row["cured"]) for row in chosen if row["cured"] is not None]
            table.append(
                {
                    "fault": fault,
                    "architecture": architecture,
                    "runs": len(chosen),
                    "is_harmful": is_better(pairs),
                    "recall": statistics.fmean(row["rule"] is not None for row in chosen),
                    "right_cause": statistics.fmean(row["rule"] in causes for row in chosen),
                    "named": sorted({str(row["rule"]) for row in chosen}),
                    "overrides": sorted({str(row["override"]) for row in chosen}),
                    "accuracy": round(statistics.fmean(row["faulty"] for row in chosen), 3),
                    "cured": round(statistics.fmean(after for _, after in cures), 3) if cures else None,
                    "is_cured": is_better(cures),
                }
            )
    harmful = [row for row in table if row["is_harmful"]]
    told = [row for row in harmful if row["recall"] > 0]
    silent = [row for row in rows if row["kind"] == "healthy"]
    alarms = [row for row in silent if row["rules"]]
    total = {
        "faults": len({row["fault"] for row in table}),
        "runs": sum(row["runs"] for row in table),
        "harmful_cells": len(harmful),
        "recall": round(statistics.fmean(row["recall"] for row in harmful), 3) if harmful else None,
        "recall_of_all": round(statistics.fmean(row["recall"] for row in table), 3) if table else None,
        "right_cause_first": round(statistics.fmean(row["right_cause"] for row in told), 3) if told else None,
        "cure_rate": round(statistics.fmean(row["is_cured"] for row in told), 3) if told else None,
        "healthy": len(silent),
        "false_alarms": len(alarms),
        "false_alarm_share": round(len(alarms) / len(silent), 4) if silent else None,
    }
    return [total, *table, *(_alarm(row, tried.get(row["key"])) for row in alarms)]


def _alarm(row: dict[str, Any], tried: dict[str, Any] | None) -> dict[str, Any]:
    told = {"alarm": row["rules"], "overrides": row["overrides"]}
    if tried is None:
        return told
    cured, plain = (statistics.fmean(values) for values in zip(*tried["losses"], strict=True))
    return told | {
        "override": tried["override"],
        "loss": round(plain, 3),
        "cured_loss": round(cured, 3),
        "diverged": tried["diverged"],
        "is_better": is_better([tuple(pair) for pair in tried["losses"]]),
    }


def main() -> None:
    """Do what is not done, then write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("diagnose-work"), help="what is done already, and pictures")
    parser.add_argument("--root", default="data", help="folder of Fashion-MNIST's files")
    parser.add_argument("--summary", action="store_true", help="write the record of what is done, and do nothing")
    parser.add_argument("--page", type=Path, help="only write the tables of the record into this page")
    given = parser.parse_args()
    if given.page is not None:
        text = tables(json.loads((RESULTS / "diagnose.json").read_text())["rows"])
        given.page.write_text(replace_between(given.page.read_text(), "diagnose", text))
        return
    torch.set_num_threads(1)
    work = Work(given.work.absolute(), given.root)
    if not given.summary:
        for seed in SEEDS:
            for architecture in ARCHITECTURES:
                base(work, architecture, seed)
                for fault in FAULTS:
                    plant(work, fault, architecture, seed)
            for number, overrides in list(enumerate(healthy(HEALTHY)))[seed :: len(SEEDS)]:
                alarm(work, number, overrides)
                try_alarm(work, number)
    rows = summed_up(list(work.rows.values()))
    print(json.dumps(rows[0]))
    print(write("diagnose", rows, NOTE))


if __name__ == "__main__":
    main()
