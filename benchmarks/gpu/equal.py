"""Every form of a program on a card against each trial alone there: the largest differences, and whether any bit is."""

from collections.abc import Iterator
from typing import Any

from benchmarks.case import MODELS, Case, blocks, models, values
from benchmarks.equality import configure, divide, largest, train
from dlexp.build.components import components_of
from dlexp.build.program import make_program
from dlexp.engine.stack.kind import stack_kinds


def cases() -> dict[str, Case]:
    """Return every architecture under one rule, every option of the other groups, and folds."""
    folds = [case for case in values() if case.folds]
    return {case.name: case for case in [*models(MODELS, ("sgd",)), *blocks(), *folds]}


def measure(name: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each form: differences after ten updates in float64, and whether float32 is equal to the bit."""
    case = cases()[name]
    rows: dict[str, dict[str, Any]] = {}
    for precision in ("fp64", "fp32"):
        configs = configure(case, precision)
        for config in configs:
            config["trainer"]["device"] = "cuda"
        data = divide(case, configs)
        first = make_program(components_of(configs[:1], data[:1]))
        alone = [train([config], [part], "solo")[0] for config, part in zip(configs, data, strict=True)]
        for kind in stack_kinds(first.model, first.dataset.in_shape, first.device)[0]:
            differences = largest(train(configs, data, kind), alone)
            row = rows.setdefault(kind, {"engine": kind, "trials": len(configs)})
            if precision == "fp64":
                row |= differences
            else:
                row["is_bitwise_fp32"] = not any(differences.values())
    yield from rows.values()
