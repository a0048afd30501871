"""How far seeds alone move a run: its configuration trained anew with other seeds, source by source and all at once.

Each source is a sweep of its own, so that runs train together where that is faster, a killed measurement goes on where
it was, and a repeated one trains nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlexp.build.dataset import load_data
from dlexp.config import trust
from dlexp.config.override import override_of, parse
from dlexp.config.resolve import resolve
from dlexp.config.source.folder import stored_copy
from dlexp.error import ConfigError, RunError
from dlexp.execution.description import as_divided
from dlexp.execution.integrity import require_same_data
from dlexp.job.compare.comparison import choose_metric, values_of
from dlexp.job.compare.document import AbsentSource, AllSources, Noise, PresentSource, SeedSample
from dlexp.job.compare.side import Side, load_side, load_trained
from dlexp.job.sweep import sweep
from dlexp.job.sweep.document import SweepResult
from dlexp.number import noun
from dlexp.run.folder import RunFolder
from dlexp.run.status import Status
from dlexp.run.stored import overrides_here, require_same_files, stored_config
from dlexp.statistic.spread import Spread, largest_chance_difference, spread, variance_share

SOURCES = {
    "init": "initialisation",
    "order": "data order",
    "augment": "augmentation",
    "dropout": "dropout",
}
ALL = "all"
FEW = 30  # seeds below which the interval of a deviation spans more than half of it


@dataclass(frozen=True)
class Measured:
    """What came of a measurement.

    Attributes:
        run_id: Of the run.
        document: What ``--json`` prints; None when it was interrupted.
        exit_code: 0, or the interrupted sweep's.
    """

    run_id: str
    document: Noise | None
    exit_code: int


# the source that is about to be measured, its number from 1 and how many there are, to what hears of its sweep
OnSource = Callable[[str, int, int], sweep.OnStart]


def measure(
    ref: str,
    runs_dir: Path,
    num_seeds: int,
    metric: str | None = None,
    config_dir: Path | None = None,
    *,
    announce: OnSource,
    has_figures: bool = True,
) -> Measured:
    """Measure the noise of a run's configuration.

    Args:
        ref: A run, a trial, or a sweep for its best setting.
        runs_dir: Folder of all runs.
        num_seeds: Runs of each source, at least 2.
        metric: Name with or without ``val/``; None takes accuracy or rmse.
        config_dir: The folder of YAML files that the run was trained with; None takes the copy kept with it.
        announce: Called before each source.
        has_figures: Draw the figures of each source's sweep.

    Raises:
        RunError: Unknown, not a training run, or one whose configuration diverges under other seeds.
        ConfigError: No such metric; or see `dlexp.job.sweep.start`.
        DataError: The data are not those of the run.
    """
    folder = load_trained(runs_dir, ref)
    chosen, (side,) = choose_metric(metric, [load_side(runs_dir, str(folder.path))])
    config_dir = config_dir or stored_copy(folder.path)
    require_same_data(folder, as_divided(folder, load_data(stored_config(folder))))
    require_same_files(folder)
    overrides = [o.text for o in parse(folder.overrides) if o.key != "runs_dir"]
    overrides = [*overrides_here(folder, overrides), override_of("runs_dir", str(folder.runs_dir))]
    with trust.words_of(folder.run_id):
        resolve(overrides, config_dir)
        idle = {source: why for source in SOURCES if (why := _why_idle(source, overrides, config_dir))}
        side_of: dict[str, Side] = {}
        sources = [*(source for source in SOURCES if source not in idle), ALL]
        for i, source in enumerate(sources):
            searching = _searching(source, overrides, num_seeds)
            ended = sweep.start(
                searching, config_dir, announce=announce(source, i + 1, len(sources)), has_figures=has_figures
            )
            if ended.outcome.result["status"] == "interrupted":
                return Measured(folder.run_id, None, ended.outcome.exit_code)
            side_of[source] = _read(source, ended.outcome.result, folder)
    user_metric = side.splits[0, 0][0].user_metric
    values = {}
    for source, each in side_of.items():
        shown, (whole,) = choose_metric(chosen, [each.with_metric(user_metric)])
        values[source] = values_of(whole, shown.rpartition("/")[2])[0]
    value = float(values_of(side, chosen.rpartition("/")[2])[0, 0])
    return Measured(folder.run_id, _document(folder, chosen, value, side_of, values, idle), 0)


def _why_idle(source: str, overrides: list[str], config_dir: Path | None) -> str:
    """Return why the configuration draws nothing for a source; "" where it does."""
    others = [o.text for o in parse(overrides) if o.key != f"seeds.{source}"]
    try:
        resolve([*others, f"seeds.{source}=1"], config_dir)
    except ConfigError as error:
        return str(error).partition("has no effect; ")[2] or str(error)
    return ""


def _searching(source: str, overrides: list[str], num_seeds: int) -> list[str]:
    """Return the overrides of the sweep that varies one source, or all of them."""
    if source == ALL:
        other_overrides = [o.text for o in parse(overrides) if o.key != "seed" and not o.key.startswith("seeds.")]
        return [*other_overrides, f"seed=range(0,{num_seeds})"]
    other_overrides = [o.text for o in parse(overrides) if o.key != f"seeds.{source}"]
    return [*other_overrides, f"seeds.{source}=range(0,{num_seeds})"]


def _read(source: str, result: SweepResult, folder: RunFolder) -> Side:
    """Return the runs of one source as the seeds of one side.

    Raises:
        RunError: One of them has no value.
    """
    broken = [trial for trial in result["trials"] if not Status(trial["status"]).has_value]
    if broken:
        raise RunError(
            f"{folder.run_id}: {len(broken)} of {noun(len(result['trials']), 'run')} with other seeds "
            f"({_name(source)}) "
            f"{broken[0]['status']}; a configuration that seeds can break has no standard deviation: mend it first"
        )
    runs = [load_side(folder.runs_dir, str(trial["run_dir"])) for trial in result["trials"]]
    seeds = [str(run.folder.config["seed"] if source == ALL else run.folder.config["seeds"][source]) for run in runs]
    sides = [run.splits[0, 0][0] for run in runs]
    first = runs[0]
    ids = [run.run_id for run in runs]
    return Side(
        result["run_id"], [], "train", first.folder, first.task, first.fingerprint, seeds, {(0, 0): sides}, 0, ids
    )


def _name(source: str) -> str:
    return SOURCES.get(source, "all sources")


def _document(
    folder: RunFolder,
    metric: str,
    value: float,
    side_of: dict[str, Side],
    values: dict[str, np.ndarray],
    idle: dict[str, str],
) -> Noise:
    spreads = {source: spread(measured) for source, measured in values.items()}
    whole = spreads[ALL]
    records: list[PresentSource | AbsentSource] = []
    for source in SOURCES:
        if source in idle:
            records.append(_absent(source, idle[source]))
        elif len(set(values[source])) == 1 and _are_equal(side_of[source]):
            why = f"{noun(len(values[source]), 'seed')} gave equal outputs"
            records.append({**_absent(source, why), "sweep": side_of[source].run_id})
        else:
            records.append(_present(source, side_of[source], spreads[source], whole, values[source]))
    return {
        "kind": "noise",
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "metric": f"val/{metric}",
        "seeds": whole.num,
        "value": value,
        "sources": records,
        "all": AllSources(source=ALL, name=_name(ALL), key="seed", **_described(side_of[ALL], whole, values[ALL])),
        "least_difference": largest_chance_difference(whole),
        "notes": _notes(whole, records),
    }


def _are_equal(side: Side) -> bool:
    first, *others = side.splits[0, 0]
    return all(np.array_equal(first.outputs, other.outputs) for other in others)


def _absent(source: str, why: str) -> AbsentSource:
    return {"source": source, "name": _name(source), "key": f"seeds.{source}", "is_absent": True, "why": why}


def _present(source: str, side: Side, of: Spread, whole: Spread, values: np.ndarray) -> PresentSource:
    share, *interval = variance_share(of, whole) if whole.std else (None, None, None)
    return {
        "source": source,
        "name": _name(source),
        "key": f"seeds.{source}",
        "is_absent": False,
        **_described(side, of, values),
        "share": share,
        "share_interval": interval,
    }


def _described(side: Side, of: Spread, values: np.ndarray) -> SeedSample:
    return {
        "num": of.num,
        "mean": of.mean,
        "std": of.std,
        "interval": [of.low, of.high],
        "values": values.tolist(),
        "seeds": side.seeds,
        "sweep": side.run_id,
    }


def _notes(whole: Spread, records: list[PresentSource | AbsentSource]) -> list[str]:
    notes = []
    if whole.num < FEW:
        notes.append(
            f"{noun(whole.num, 'seed')} leave wide intervals; --seeds N narrows them and trains only what is missing"
        )
    if sum(not record["is_absent"] for record in records) > 1:
        notes.append(
            "sources act on each other, and each was measured at one seed of the others: shares need not add up"
        )
    return notes
