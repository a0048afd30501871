"""Lists runs: which, in which order, and which of them can be ranked together."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dlexp.direction import has_direction, is_better_high
from dlexp.error import ConfigError, RunError, did_you_mean
from dlexp.run.document import RunRecord
from dlexp.run.listing.filter import check_name, names, parse, require_any, value_of
from dlexp.run.scan import scan

_DEFAULT_METRICS = (
    "val/accuracy",
    "val/rmse",
    "val/mse",
    "val/loss",
)  # of runs that do not say it


@dataclass(frozen=True)
class Ranking:
    """Runs in order.

    Attributes:
        experiment: That all of them belong to; None where they are of several and ordered by something else than a
            metric, for scores on different data cannot be ranked together.
        records: Of the runs.
        sort: What they are ordered by: ``metrics.NAME``, ``params.KEY`` or a field, with a ``-`` where it is turned.
        hidden: Runs that come after those and were left out.
    """

    experiment: str | None
    records: list[RunRecord]
    sort: str
    hidden: int = 0

    def limited(self, limit: int | None) -> "Ranking":
        """Return the first of these runs, all of them for None."""
        if limit is None:
            return self
        return replace(self, records=self.records[:limit], hidden=max(0, len(self.records) - limit))


def rank(
    runs_dir: Path,
    *,
    experiment: str | None = None,
    sort: str | None = None,
    filter: str | None = None,
    tag: str | None = None,
) -> list[Ranking]:
    """Return the runs: by a metric, best first, a ranking for each experiment, the one that ran last first; else one.

    Args:
        runs_dir: Folder of all runs.
        experiment: Only runs of this one.
        sort: ``metrics.NAME`` (best first), ``params.KEY`` or a field (lowest first); a leading ``-`` turns the order
            round. None takes the metric that an experiment's runs are judged by, else the newest first.
        filter: An expression of `dlexp.run.listing.filter`.
        tag: Only runs that bear it.

    Raises:
        ConfigError: Sort or filter cannot be understood.
        RunError: There is no such experiment.
    """
    condition = parse(filter) if filter is not None else None
    name = None if sort is None else check_name(sort.removeprefix("-"), "--sort")
    records = scan(runs_dir)
    require_any([] if filter is None else names(filter), records, "--filter")
    require_any([] if name is None else [name], records, "--sort")
    records = _of_experiment(records, experiment)
    records = [record for record in records if condition is None or condition(record)]
    records = [record for record in records if tag is None or tag in record["tags"]]
    if sort is not None and name is not None and not name.startswith("metrics.") and name != "value":
        return [Ranking(None, _sorted(records, sort), sort)] if records else []
    groups: dict[str, list[RunRecord]] = {}
    for record in reversed(records):
        groups.setdefault(str(record["experiment"]), []).append(record)
    orders = {name: sort or default_sort(group) for name, group in groups.items()}
    return [Ranking(name, _sorted(group, orders[name]), orders[name]) for name, group in groups.items()]


def records_of(rankings: Iterable[Ranking]) -> list[RunRecord]:
    """Return the records of rankings, one ranking after the other."""
    return [record for ranking in rankings for record in ranking.records]


def default_sort(records: list[RunRecord]) -> str:
    """Return the metric that the most recent of the runs with a result is judged by; the start time without any."""
    for record in sorted(records, key=lambda record: record["run_id"], reverse=True):
        names = [name for name in (record["metric"], *_DEFAULT_METRICS) if name in record["metrics"]]
        if names and has_direction(str(names[0])):
            return f"metrics.{names[0]}"
    return "-start"


def _of_experiment(records: list[RunRecord], experiment: str | None) -> list[RunRecord]:
    if experiment is None:
        return records
    known = {str(record["experiment"]) for record in records}
    if experiment not in known:
        hint = did_you_mean(experiment, known) or f"; there are {', '.join(sorted(known)) or 'no runs yet'}"
        raise RunError(f"--experiment: got {experiment}{hint}")
    return [record for record in records if record["experiment"] == experiment]


def _sorted(records: list[RunRecord], sort: str) -> list[RunRecord]:
    name = sort.removeprefix("-")
    is_descending = _is_descending(name, records) is not sort.startswith("-")
    have = [record for record in records if not _is_missing(value_of(record, name))]
    lack = [record for record in records if _is_missing(value_of(record, name))]
    numbers = [record for record in have if isinstance(value_of(record, name), int | float)]
    texts = [record for record in have if not isinstance(value_of(record, name), int | float)]
    numbers.sort(key=lambda record: value_of(record, name), reverse=is_descending)
    texts.sort(key=lambda record: str(value_of(record, name)), reverse=is_descending)
    return [*numbers, *texts, *lack]


def _is_descending(name: str, records: list[RunRecord]) -> bool:
    """Return whether a metric's best value is its highest; values are of the metric that the runs are judged by."""
    if name.startswith("metrics."):
        return is_better_high(name)
    if name != "value":
        return False
    metrics = {record["metric"] for record in records if record["metric"] is not None}
    if len(metrics) > 1:
        raise ConfigError(f"--sort: got value; runs are judged by {', '.join(sorted(metrics))}, so choose metrics.NAME")
    return any(is_better_high(metric) for metric in metrics)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
