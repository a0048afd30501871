"""Lists runs: which, in which order, and which of them can be ranked together."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

from dlexp.config.wording import setting_text
from dlexp.direction import has_direction, is_better_high
from dlexp.error import ConfigError, RunError, did_you_mean
from dlexp.run.document import RunRecord
from dlexp.run.listing.filter import check_name, names, parse, require_any, value_of
from dlexp.run.listing.index import glance, uncollected, whole
from dlexp.run.listing.line import DamagedLine
from dlexp.run.scan import scan

_CHOOSING = ("data.", "cv.")  # the validation examples: keys that begin so
_DIGITS = 6  # of a digest
_DEFAULT_METRICS = (
    "val/accuracy",
    "val/explained_variance",
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
        examples: What sets the validation examples of these runs apart, in words, where the experiment has runs on
            others, which have a ranking of their own; empty where it has none.
        records: Of the runs.
        sort: What they are ordered by: ``metrics.NAME``, ``params.KEY`` or a field, with a ``-`` where it is turned.
        hidden: Runs that come after those and were left out.
    """

    experiment: str | None
    records: list[RunRecord]
    sort: str
    hidden: int = 0
    examples: str = ""

    def limited(self, limit: int | None) -> "Ranking":
        """Return the first of these runs with all of their parts, all of them for None."""
        if limit is None:
            return self
        shown = [whole(record) for record in self.records[:limit]]
        return replace(self, records=shown, hidden=max(0, len(self.records) - limit))


@uncollected()
def rank(
    runs_dir: Path,
    *,
    experiment: str | None = None,
    sort: str | None = None,
    filter: str | None = None,
    tag: str | None = None,
    is_glance: bool = False,
) -> list[Ranking]:
    """Return the runs: by a metric, best first, a ranking for each experiment, the one that ran last first; else one.

    Runs of an experiment on different validation examples are ranked apart.

    Args:
        runs_dir: Folder of all runs.
        experiment: Only runs of this one.
        sort: ``metrics.NAME`` (best first), ``params.KEY`` or a field (lowest first); a leading ``-`` turns the order
            round. None takes the metric that an experiment's runs are judged by, else the newest first.
        filter: An expression of `dlexp.run.listing.filter`.
        tag: Only runs that bear it.
        is_glance: Whether records may lack the parts that no order looks at: of many runs only a few will be shown.

    Raises:
        ConfigError: Sort or filter cannot be understood.
        RunError: There is no such experiment.
    """
    condition = parse(filter) if filter is not None else None
    name = None if sort is None else check_name(sort.removeprefix("-"), "--sort")

    def ordered(records: list[RunRecord]) -> list[Ranking]:
        require_any([] if filter is None else names(filter), records, "--filter")
        require_any([] if name is None else [name], records, "--sort")
        records = _of_experiment(records, experiment)
        records = [record for record in records if condition is None or condition(record)]
        records = [record for record in records if tag is None or tag in record["tags"]]
        return _in_order(records, sort)

    if not is_glance:
        return ordered(scan(runs_dir))
    try:
        return ordered(glance(runs_dir))
    except DamagedLine:
        return ordered(glance(runs_dir, is_anew=True))


def _in_order(records: list[RunRecord], sort: str | None) -> list[Ranking]:
    name = None if sort is None else sort.removeprefix("-")
    if sort is not None and name is not None and not name.startswith("metrics.") and name != "value":
        return [Ranking(None, _sorted(records, sort), sort)] if records else []
    experiments = _grouped(records[::-1], lambda record: str(record["experiment"]))
    return [ranking for name, group in experiments.items() for ranking in _rankings(name, group, sort)]


def _grouped(records: list[RunRecord], key: Callable[[RunRecord], Any]) -> dict[Any, list[RunRecord]]:
    groups: dict[Any, list[RunRecord]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups


def _rankings(experiment: str, records: list[RunRecord], sort: str | None) -> list[Ranking]:
    """Return an experiment's rankings: of each choice of validation examples its own."""
    groups = list(_grouped(records, lambda record: record["validated_on"]).values())
    words = [""] if len(groups) == 1 else _examples(groups)
    orders = [sort or default_sort(group) for group in groups]
    return [
        Ranking(experiment, _sorted(group, order), order, examples=text)
        for group, order, text in zip(groups, orders, words, strict=True)
    ]


def _examples(groups: list[list[RunRecord]]) -> list[str]:
    """Return what sets the validation examples of each group apart; their digest where two would read the same."""
    settings = [_choices(group) for group in groups]
    common = set.intersection(*settings)
    words = [_words(group[0], choices - common) for group, choices in zip(groups, settings, strict=True)]
    digests = [str(group[0]["validated_on"])[:_DIGITS] for group in groups]
    return [
        text if words.count(text) == 1 else f"{text}, {digest}" for text, digest in zip(words, digests, strict=True)
    ]


def _choices(records: list[RunRecord]) -> set[str]:
    """Return the settings of data and folds that all of some runs have."""
    settings = [
        {setting_text({key: value}) for key, value in record["params"].items() if key.startswith(_CHOOSING)}
        for record in records
    ]
    return set.intersection(*settings)


def _words(record: RunRecord, choices: set[str]) -> str:
    if record["validated_on"] is None:
        return "examples not recorded"
    form = ["cross-validated"] if record["kind"] == "cv" else []
    return " ".join([*form, *sorted(choices)]) or "examples by default"


def records_of(rankings: Iterable[Ranking]) -> list[RunRecord]:
    """Return the records of rankings, one ranking after the other."""
    return [record for ranking in rankings for record in ranking.records]


def default_sort(records: list[RunRecord]) -> str:
    """Return the metric that the most recent of the runs with a result is judged by; the start time without any.

    Runs of different losses are not ranked by these, but by a measure that is the same for all.
    """
    for record in sorted(records, key=lambda record: record["run_id"], reverse=True):
        names = [name for name in (record["metric"], *_DEFAULT_METRICS) if name in record["metrics"]]
        if names and has_direction(str(names[0])):
            return f"metrics.{_common(str(names[0]), records)}"
    return "-start"


def _common(metric: str, records: list[RunRecord]) -> str:
    """Return a metric that means the same for all runs in the place of a loss that does not."""
    split, _, name = metric.partition("/")
    if name != "loss":
        return metric
    losses = {str([pair for pair in sorted(record["params"].items()) if _is_of_loss(pair[0])]) for record in records}
    if len(losses) < 2:
        return metric
    known = {each for record in records for each in record["metrics"]}
    return next((each for each in (f"{split}/log_loss", f"{split}/rmse", f"{split}/eer") if each in known), metric)


def _is_of_loss(key: str) -> bool:
    return key.partition(".")[0] == "loss"


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
    numbers, texts, lack = [], [], []
    for record in records:
        value = value_of(record, name)
        if _is_missing(value):
            lack.append(record)
        elif isinstance(value, int | float):
            numbers.append((value, record))
        else:
            texts.append((str(value), record))
    for pairs in (numbers, texts):
        pairs.sort(key=itemgetter(0), reverse=is_descending)
    return [*(record for _, record in numbers), *(record for _, record in texts), *lack]


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
