"""The simulated error of every estimator that dlexp prints, as ``docs/validate.md`` has it.

The figures are read from the records in ``benchmarks/results``; `python -m benchmarks.statistic.table` writes the table
into the page.
"""

import json
from functools import cache
from typing import Any

from benchmarks.measure import RESULTS, command_line, replace_between

PAGE = RESULTS.parents[1] / "docs" / "validate.md"
HEAD = "| printed | simulated | error | record |\n|---|---|---|---|"
Records = list[dict[str, Any]]


@cache
def record(name: str) -> Records:
    """Return the rows of a record."""
    return json.loads((RESULTS / f"{name}.json").read_text())["rows"]


def _chosen(name: str, **wanted: Any) -> Records:
    rows = [row for row in record(name) if all(row[key] == value for key, value in wanted.items())]
    assert rows, (name, wanted)
    return rows


def _span(values: list[float], digits: int = 3) -> str:
    low, high = (f"{end:+.{digits}f}" if min(values) < 0 else f"{end:.{digits}f}" for end in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _of_cv(estimator: str) -> str:
    rows = _chosen("crossvalidation", estimator=estimator)
    told = []
    for row in rows:
        is_bias = row["quantity"] == "bias"
        digits, sign = (4, "+") if is_bias else (3, "")
        about = f"{row['settings']} settings: " if len(rows) > 1 else ""
        told.append(f"{about}{row['quantity']} {row['value']:{sign}.{digits}f} (± {row['error']:.{digits}f})")
    return f"{'; '.join(told)} | `crossvalidation`"


def _coverage(kind: str, *, is_shared: bool, method: str = "transformed") -> str:
    rows = _chosen("interval", kind=kind, shared=is_shared)
    return (
        f"coverage {_span([row[method] for row in rows])}, plain t {_span([row['plain'] for row in rows])} | `interval`"
    )


def _beyond() -> str:
    rows = record("interval")
    return f"never; plain t in up to {max(row['plain_outside'] for row in rows):.0%} of cvs | `interval`"


def _corrected(**wanted: Any) -> str:
    rows = [row for row in _chosen("selection", score="right", **wanted) if (row["errors_of_winner"] or 0) >= 5]
    bias, covered = _span([row["bias"] for row in rows], 2), _span([row["coverage"] for row in rows], 2)
    return f"bias {bias} of the optimism; coverage {covered} | `selection`"


def _losses() -> str:
    rows = _chosen("selection", score="loss")
    return f"bias {_span([row['bias'] for row in rows], 2)} of the optimism | `selection`"


def _against_best() -> str:
    told = []
    for num in (2, 5, 10, 20):
        rates = [row["all_pairs"] for row in _chosen("against_best", truth="equal", settings=num)]
        told.append(f"{num} settings: {_span(rates)}")
    return f"{'; '.join(told)} | `against_best`"


def _holm() -> str:
    rows = _chosen("against_best", truth="half")
    return f"{_span([row['all_pairs'] for row in rows])} | `against_best`"


def _seen() -> str:
    rows = _chosen("against_best", truth="half")
    return f"{_span([row['seen'] for row in rows], 2)} of them | `against_best`"


def _comparison(what: str, case: str) -> str:
    rows = _chosen("comparison", what=what, case=case)
    told = [f"{row['quantity']} {row['value']:.3f} (± {row['error']:.3f})" for row in rows]
    return f"{'; '.join(told)} | `comparison`"


def _ties() -> str:
    rows = _chosen("comparison", what="ties")
    told = [f"{row['case']}: {row['value']:.3f} (± {row['error']:.3f})" for row in rows]
    return f"{'; '.join(told)} | `comparison`"


def _needed(word: str) -> str:
    (row,) = [row for row in _chosen("comparison", what="needed") if word in row["case"]]
    return f"{row['case']}: {row['value']:.3f} (± {row['error']:.3f}) name the better | `comparison`"


def lines() -> list[tuple[str, str, str]]:
    """Return what is printed, what was simulated, and the error with its record."""
    return [
        ("mean over folds", "accuracy, against the model of all examples", _of_cv("mean accuracy")),
        ("", "area under the ROC curve", _of_cv("mean roc_auc")),
        ("pooled metric", "accuracy", _of_cv("pooled accuracy")),
        ("", "area under the ROC curve", _of_cv("pooled roc_auc")),
        ("`interval`", "folds of a trained model", _of_cv("interval")),
        ("`interval_corrected`", "folds of a trained model", _of_cv("interval_corrected")),
        ("interval of a bounded metric", "shares, folds correlated", _coverage("accuracy", is_shared=True)),
        ("", "shares, independent values", _coverage("accuracy", is_shared=False)),
        ("", "losses, folds correlated", _coverage("loss", is_shared=True)),
        ("", "losses, independent values", _coverage("loss", is_shared=False)),
        ("", "intervals beyond the bounds", _beyond()),
        ("best of a cv of m settings", "equal settings, uncorrected", _of_cv("picked")),
        ("`cv=nested`", "the same settings", _of_cv("nested")),
        ("against the best", "equal settings, any called worse", _against_best()),
        ("", "half of the settings worse: a good setting called worse", _holm()),
        ("", "settings worse by 2 deviations of a fold, called worse", _seen()),
        ("corrected: setting", "2 to 200 equal settings", _corrected(epochs=1, truth="equal")),
        ("", "true scores spread as their noise", _corrected(epochs=1, truth="spread")),
        ("corrected: setting and epoch", "equal settings, 10 epochs", _corrected(epochs=10, truth="equal")),
        ("", "true scores spread as their noise", _corrected(epochs=10, truth="spread")),
        ("corrected: best epoch of a `train`", "30 epochs", _corrected(epochs=30, settings=1)),
        ("corrected: losses", "squared errors, 10 epochs", _losses()),
        ("*tie* of a sweep over seeds", "equal settings, 5 seeds, any called worse", _ties()),
        ("two runs, accuracy", "equals on 300 examples", _comparison("runs", "accuracy")),
        ("two runs, another metric", "macro F1 of equals on 300 examples", _comparison("runs", "f1_macro")),
        ("two settings over seeds", "equals, 8 seeds each", _comparison("seeds", "seeds")),
        ("two cvs", "equals, 10 folds that correlate by 1 / k", _comparison("cvs", "cvs")),
        ("how many would tell", "that many examples", _needed("examples")),
        ("", "that many folds", _needed("folds")),
        ("`--noise`: deviation", "8 normal values", _comparison("noise", "deviation")),
        ("`--noise`: share of variance", "8 normal values each", _comparison("noise", "share of variance")),
        ("`--noise`: two runs differ by", "two more values", _comparison("noise", "difference of two runs")),
    ]


def table() -> str:
    """Return the table."""
    return "\n".join([HEAD, *(f"| {' | '.join(line)} |" for line in lines())])


if __name__ == "__main__":
    command_line(__doc__).parse_args()
    PAGE.write_text(replace_between(PAGE.read_text(), "estimator", table()))
