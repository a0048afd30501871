"""Trials trained as one program against each of them alone: the largest differences, for every option.

Four tables: every architecture under every update rule; every option of the other groups; every value that may differ
between the trials of a program; every task, and frozen layers. In float64 ten updates and two evaluations must agree to
1e-9; in float32, where training amplifies rounding, the validation metrics after ten updates. A fifth table has the
bits of the large architectures in float32, and which forms `trainer.fuse=auto` chooses among: only those that are
bitwise. A case's rows take the place of those recorded before, so that what was ended goes on with `--since`.
`python -m benchmarks.equality [--quick | --large] [--since CASE]`.
"""

import argparse
import copy
import json
import math
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import torch
import yaml
from torch import Tensor

from benchmarks.case import COMMON, MODELS, SMALL, Case, blocks, large, models, tasks, values
from benchmarks.measure import RESULTS, write
from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.data.dataset import Dataset
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import snapshot
from dlexp.engine.stack.kind import stack_kinds
from dlexp.execution.exactness import equal_forms

LIMIT = 1e-9
NOTE = "largest |a - b| / (1 + |b|) after 10 updates: trials trained as one program, and each alone as a plain module"
Trained = tuple[tuple[dict[str, Tensor], dict[str, Any]], list[dict[str, float]]]


@cache
def _resolved(overrides: tuple[str, ...]) -> dict[str, Any]:
    return resolve(list(overrides)).config


def configure(case: Case, precision: str) -> list[dict[str, Any]]:
    """Return the configuration of each trial."""
    made = []
    for trial in case.trials:
        chosen = {**COMMON, "trainer.precision": precision, **case.overrides}
        if chosen.get("data") == "diabetes":
            chosen["optimizer.lr"] = "0.01"
        chosen |= {key: value for key, value in trial.items() if "." not in key and key != "seed"}
        config = copy.deepcopy(_resolved(tuple(f"{key}={value}" for key, value in chosen.items())))
        for key, value in trial.items():
            block, _, name = key.rpartition(".")
            if block or key == "seed":
                (config[block] if block else config)[name] = yaml.safe_load(value)
        made.append(config)
    return made


@cache
def _data(overrides: tuple[str, ...]) -> Dataset:
    return load_data(_resolved(overrides))


def divide(case: Case, configs: list[dict[str, Any]]) -> list[Dataset]:
    """Return each trial's data: the same, or folds of 30, 29 and 31 examples."""
    data = _data(tuple(f"{key}={value}" for key, value in {**COMMON, **_only_data(case)}.items()))
    if not case.folds:
        return [data] * len(configs)
    chosen = {**COMMON, "data.limit": "null"}
    chosen |= {key: value for key, value in _only_data(case).items() if not key.startswith("data")}
    whole = _data(tuple(f"{key}={value}" for key, value in chosen.items()))
    starts = range(0, 40 * len(configs), 40)
    train, val = whole.dealt.train, whole.dealt.val
    rows = [train[start : start + 31 - i % 3] for i, start in enumerate(starts)]
    return [
        whole.with_parts(train_rows, val[start : start + 40 - start // 20])
        for train_rows, start in zip(rows, starts, strict=True)
    ]


def _only_data(case: Case) -> dict[str, str]:
    return {key: value for key, value in case.overrides.items() if key.partition(".")[0] in ("data", "task", "pairs")}


def train(configs: list[dict[str, Any]], datasets: list[Dataset], engine: str) -> list[Trained]:
    """Return each trial's last snapshot and the metrics of its epochs."""
    components = components_of(configs, datasets)
    assert len({each.structure for each in components}) == 1, "the trials do not share a program"
    run = make_program(components, engine).run
    ends, epochs = {}, {trial: [] for trial in run.trials}
    for event in run.events():
        if isinstance(event, EpochEnd):
            epochs[event.trial].append(event.metrics)
        elif isinstance(event, TrialEnd):
            ends[event.trial] = snapshot(run, run.trials.index(event.trial))
    return [(ends[trial], epochs[trial]) for trial in sorted(ends)]


def gap(a: Any, b: Any) -> float:
    """Return the largest |a - b| / (1 + |b|) of two structures of tensors and numbers; inf where they do not match."""
    if isinstance(a, Tensor):
        if a.shape != b.shape or not torch.equal(a.isnan(), b.isnan()):
            return math.inf
        apart = ((a.double() - b.double()).abs() / (1 + b.double().abs())).nan_to_num(0.0)
        return float(apart.max()) if apart.numel() else 0.0
    if isinstance(a, dict):
        return max((gap(a[key], b[key]) for key in a), default=0.0) if a.keys() == b.keys() else math.inf
    if isinstance(a, list):
        return max((gap(x, y) for x, y in zip(a, b, strict=True)), default=0.0) if len(a) == len(b) else math.inf
    return 0.0 if a == b or (a != a and b != b) else abs(a - b) / (1 + abs(b))


def compare(case: Case) -> Iterator[dict[str, Any]]:
    """Yield a row for each precision and engine: the largest differences between trials together and each alone.

    Alone is the plain module; `is_bitwise` says that nothing differs from it. `is_row_bitwise` says that nothing
    differs from a program of one trial of the same engine, asked in float32 of batched stacks, which promise it.
    """
    kinds = engines(case)
    for precision in ("fp64", "fp32"):
        configs = configure(case, precision)
        datasets = divide(case, configs)

        def alone(engine: str, of: list[Any] = configs, on: list[Dataset] = datasets) -> list[Trained]:
            return [train([config], [dataset], engine)[0] for config, dataset in zip(of, on, strict=True)]

        plain = alone("solo")
        for engine in kinds:
            together = train(configs, datasets, engine)
            differences = largest(together, plain)
            row = {"case": case.name, "engine": engine, "precision": precision, **differences}
            row["is_bitwise"] = not any(differences.values())
            if engine == "batched" and precision == "fp32":
                row["is_row_bitwise"] = not any(largest(together, alone(engine)).values())
            yield row


def compare_bits(case: Case) -> Iterator[dict[str, Any]]:
    """Yield a row in float32 for batched stacks and for each engine that `trainer.fuse=auto` finds exact."""
    configs = configure(case, "fp32")
    datasets = divide(case, configs)
    plain = [train([config], [dataset], "solo")[0] for config, dataset in zip(configs, datasets, strict=True)]
    eligible, _ = equal_forms(components_of(configs, datasets), engines(case))
    for engine in dict.fromkeys(["batched", *eligible]):
        differences = largest(train(configs, datasets, engine), plain)
        row = {"case": case.name, "engine": engine, "precision": "fp32", **differences}
        yield row | {"is_bitwise": not any(differences.values()), "is_eligible": engine in eligible}


def apart(case: Case, engine: str, precision: str) -> dict[str, float]:
    """Return the largest differences between trials together and each alone as a plain module."""
    configs = configure(case, precision)
    datasets = divide(case, configs)
    plain = [train([config], [dataset], "solo")[0] for config, dataset in zip(configs, datasets, strict=True)]
    return largest(train(configs, datasets, engine), plain)


def largest(together: list[Trained], alone: list[Trained]) -> dict[str, float]:
    """Return the largest differences in weights, optimiser state and metrics."""
    columns = zip(*(gaps(*pair) for pair in zip(together, alone, strict=True)), strict=True)
    return dict(zip(("weights", "state", "metrics"), map(max, columns), strict=True))


def gaps(a: Trained, b: Trained) -> list[float]:
    """Return how far weights, optimiser state and metrics of two trainings are apart."""
    (weights_a, state_a), (weights_b, state_b) = a[0], b[0]
    return [gap(weights_a, weights_b), gap(state_a["step"], state_b["step"]), gap(a[1], b[1])]


def worst(row: dict[str, Any]) -> float:
    """Return the largest of a row's differences."""
    return max(row["weights"], row["state"], row["metrics"])


def engines(case: Case) -> list[str]:
    """Return the forms of stack that the case's model bears."""
    configs = configure(case, "fp32")[:1]
    built = make_program(components_of(configs, divide(case, configs)))
    kinds, reasons = stack_kinds(built.model, built.dataset.in_shape)
    assert kinds, reasons
    return kinds


def _recorded(names: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the record by case, of cases that there are."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for row in json.loads((RESULTS / "equality.json").read_text())["rows"]:
        if row["case"] in rows:
            rows[row["case"]].append(row)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="without the large architectures, half an hour")
    parser.add_argument("--large", action="store_true", help="the bits of the large architectures only")
    parser.add_argument("--since", metavar="CASE", help="leave out the cases before this one")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    small = [(case, compare) for case in [*tasks(), *blocks(), *values(), *models(SMALL)]]
    others = [(case, compare) for case in models(name for name in MODELS if name not in SMALL)]  # minutes a case
    bits = [(case, compare_bits) for case in large()]
    recorded, began, path = _recorded(case.name for case, _ in [*small, *others, *bits]), time.time(), RESULTS
    work = bits if chosen.large else small if chosen.quick else [*small, *others, *bits]
    names = [case.name for case, _ in work]
    for case, measure in work[names.index(chosen.since) if chosen.since else 0 :]:
        recorded[case.name] = list(measure(case))
        told = [f"{row['engine']} {row['precision']} {worst(row):.0e}" for row in recorded[case.name]]
        print(f"{time.time() - began:6.0f} s  {case.name}: {', '.join(told)}", flush=True)
        path = write("equality", [row for rows in recorded.values() for row in rows], NOTE)
    rows = [row for rows in recorded.values() for row in rows]
    failed = [
        row
        for row in rows
        if (row["precision"] == "fp64" and not worst(row) < LIMIT)
        or not row.get("is_row_bitwise", True)
        or (row.get("is_eligible") and not row["is_bitwise"])
    ]
    for row in failed:
        print("not equal:", row)
    print(f"{len(rows)} rows in {path}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
