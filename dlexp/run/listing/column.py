"""The columns of a list of runs: identity and score first, then what the user set differently, then the rest."""

from collections.abc import Sequence
from pathlib import Path

from dlexp.direction import has_direction
from dlexp.error import ConfigError, did_you_mean
from dlexp.run.document import RunRecord
from dlexp.run.listing.filter import FIELDS, check_name, value_of
from dlexp.run.listing.record import written_params

DONE, TOOK = "done", "took"  # how far a run came, and its duration: columns that are put into words
HEADERS = {"run_id": "run", "start": "started"}  # how columns are headed
_SPLITS = ("val/", "test/", "train/")
_ALWAYS = ("run_id", "status", "start", "slug", "value")
_BY_KIND = ("search", "cv")  # groups that only sweeps and cvs have


def columns(records: Sequence[RunRecord], sort: str | None) -> list[str]:
    """Return the names of the columns, the most telling first.

    A column that all runs share tells nothing, nor does one that follows from another: of the params those that a user
    wrote, for the others follow from these.

    Args:
        records: Of the runs, in the order of the rows.
        sort: What they are ordered by; None where that differs.
    """
    chosen = "value" if sort is None else sort.removeprefix("-")
    scores = [chosen] if chosen.startswith("metrics.") else _scores(records)
    ordered = [name for name in (chosen,) if name not in _ALWAYS and name not in scores]
    experiment = ["experiment"] if _differs(records, "experiment") else []
    identity = ["run_id", *experiment, *scores, "status", *ordered, DONE]
    rest = ("tags", "note", "kind", "validated_on", "device")
    telling = [name for name in (*_params(records), *rest) if _differs(records, name)]
    place = telling.index("kind") if "kind" in telling else len(telling)
    names = {f"metrics.{name}": name for record in records for name in record["metrics"] if name.startswith(_SPLITS)}
    others = sorted((name for name in names if name not in scores), key=lambda name: _place(names[name]))
    return list(dict.fromkeys([*identity, *telling[:place], "start", TOOK, *telling[place:], *others]))


def check_columns(names: list[str], records: Sequence[RunRecord]) -> list[str]:
    """Return the columns that a user names, as they are headed or in full: ``lr`` for ``params.optimizer.lr``.

    Raises:
        ConfigError: No run has one of them.
    """
    known = [DONE, TOOK, *(f"params.{key}" for record in records for key in record["params"])]
    known += [f"metrics.{name}" for record in records for name in record["metrics"]]
    names = [_in_full(name, known) for name in names]
    for name in names:
        if name in known:
            continue
        check_name(name, "--columns")
        if name.startswith(("metrics.", "params.")):
            raise ConfigError(f"--columns: got {name}; no run has it{did_you_mean(name, known)}")
    return names


def _in_full(name: str, known: Sequence[str]) -> str:
    """Return the column that a header stands for; the name itself where none or not one alone does."""
    if name in FIELDS or name in known:
        return name
    meant = {field for field, header in HEADERS.items() if header == name}
    meant |= {each for each in known if name in (each.partition(".")[2], each.rpartition(".")[2])}
    return meant.pop() if len(meant) == 1 else name


def _scores(records: Sequence[RunRecord]) -> list[str]:
    """Return the column of the metric that the runs are judged by; two columns where these metrics differ."""
    metrics = {record["metric"] for record in records if record["metric"] is not None}
    if len(metrics) > 1:
        return ["metric", "value"]
    return [f"metrics.{metric}" for metric in metrics]


def _params(records: Sequence[RunRecord]) -> list[str]:
    """Return the params that the user wrote for a run and that differ; few values, and one kind's, come last."""
    written = dict.fromkeys(key for record in records for key in written_params(Path(record["run_dir"])))
    names = [f"params.{key}" for key in written if not _follows(records, key)]
    differing = [name for name in names if _differs(records, name)]
    counts = {name: len({str(value_of(record, name)) for record in records}) for name in differing}
    return sorted(differing, key=lambda name: (name.split(".")[1] in _BY_KIND, -counts[name]))


def _follows(records: Sequence[RunRecord], key: str) -> bool:
    """Return whether a param follows from what is shown: epochs, data of an experiment, search and cv of a kind."""
    group = key.partition(".")[0]
    if key == "trainer.epochs":
        return True
    if key == "data":
        experiments = {(str(record["experiment"]), str(record["params"].get(key))) for record in records}
        return len(experiments) == len({experiment for experiment, _ in experiments})
    if key == "seed" or group in _BY_KIND:
        return len({str(record["params"][key]) for record in records if key in record["params"]}) < 2
    return False


def _place(metric: str) -> tuple[bool, int, str]:
    split = next(i for i, split in enumerate(_SPLITS) if metric.startswith(split))
    return not has_direction(metric), split, metric


def _differs(records: Sequence[RunRecord], name: str) -> bool:
    if name in ("tags", "note"):
        return any(value_of(record, name) for record in records)
    values = (str(value_of(record, name)) for record in records)
    return len({value.replace(", ", ",") for value in values}) > 1  # of a list as of what was typed
