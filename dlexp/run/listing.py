"""Lists runs: which, in what order, and in which columns they differ."""

import math
from pathlib import Path
from typing import Any

from dlexp.direction import is_better_high
from dlexp.error import RunError, did_you_mean
from dlexp.run.document import RunRecord
from dlexp.run.filter import check_name, parse, value_of
from dlexp.run.scan import scan

_DEFAULT_METRICS = ("val/accuracy", "val/rmse", "val/mse", "val/loss")
_METRIC_COLUMNS = 3


def list_runs(
    runs_dir: Path, *, experiment: str | None = None, sort: str | None = None, filter: str | None = None
) -> list[RunRecord]:
    """Return the records of runs (see `dlexp.run.scan.scan`), best first; those without a value come last.

    Args:
        runs_dir: Folder of all runs.
        experiment: Only runs of this one.
        sort: ``metrics.NAME`` (best first), ``params.KEY`` or a field (lowest first); a leading ``-`` turns the order
            round. None takes validation accuracy, else an error measure.
        filter: An expression of `dlexp.run.filter`.

    Raises:
        ConfigError: Sort or filter cannot be understood.
        RunError: There is no such experiment.
    """
    condition = parse(filter) if filter is not None else None
    records = scan(runs_dir)
    if experiment is not None:
        known = {str(record["experiment"]) for record in records}
        if experiment not in known:
            hint = did_you_mean(experiment, known) or f"; there are {', '.join(sorted(known)) or 'no runs yet'}"
            raise RunError(f"--experiment: got {experiment}{hint}")
        records = [record for record in records if record["experiment"] == experiment]
    if condition is not None:
        records = [record for record in records if condition(record)]
    return _sorted(records, sort if sort is not None else default_sort(records))


def default_sort(records: list[RunRecord]) -> str:
    """Return the metric that the most recent of the runs with a result is judged by; the start time without any."""
    for record in reversed(sorted(records, key=lambda record: record["run_id"])):
        metric = next((name for name in _DEFAULT_METRICS if name in record["metrics"]), None)
        if metric is not None:
            return f"metrics.{metric}"
    return "-start"


def columns(records: list[RunRecord], sort: str | None = None) -> list[str]:
    """Return the names of the columns worth showing: identity, what differs, and a few metrics, the sorted one first.

    Args:
        records: From `list_runs`.
        sort: As given to `list_runs`.
    """
    fields = [name for name in ("experiment", "kind", "device") if _differs(records, name)]
    keys = dict.fromkeys(f"params.{key}" for record in records for key in record["params"])
    differing = [name for name in keys if _differs(records, name)]
    chosen = (sort if sort is not None else default_sort(records)).lstrip("-")
    names = dict.fromkeys(f"metrics.{name}" for record in records for name in record["metrics"])
    ranked = sorted(names, key=lambda name: (name != chosen, not name.startswith("metrics.val/")))
    shown = ["run_id", "status", *fields, *(differing or ["slug"]), *ranked[:_METRIC_COLUMNS], "epochs", "seconds"]
    return shown if chosen in shown or chosen in ("start", "slug") else [*shown, chosen]


def _differs(records: list[RunRecord], name: str) -> bool:
    return len({str(value_of(record, name)) for record in records}) > 1


def _sorted(records: list[RunRecord], sort: str) -> list[RunRecord]:
    name = check_name(sort.removeprefix("-"), "--sort")
    is_metric = name.startswith("metrics.")
    is_descending = is_metric and is_better_high(name)
    if sort.startswith("-"):
        is_descending = not is_descending
    have = [record for record in records if not _is_missing(value_of(record, name))]
    lack = [record for record in records if _is_missing(value_of(record, name))]
    numbers = [record for record in have if isinstance(value_of(record, name), int | float)]
    texts = [record for record in have if not isinstance(value_of(record, name), int | float)]
    numbers.sort(key=lambda record: value_of(record, name), reverse=is_descending)
    texts.sort(key=lambda record: str(value_of(record, name)), reverse=is_descending)
    return [*numbers, *texts, *lack]


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
