"""Whose models are averaged, or stand for choice: runs, settings of sweeps and cvs by their places, folds of cvs."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dlexp.error import RunError
from dlexp.export import file
from dlexp.job.again import a_kind
from dlexp.job.inference.ensemble import Averaged, fold_folders
from dlexp.job.sweep.recorded import rank_records, trial_folder
from dlexp.number import noun
from dlexp.run import scan
from dlexp.run.folder import RunFolder
from dlexp.run.status import Status

SINGLE = ("train", "trial", "fold")
KIND = "ensemble"
Ranked = TypeVar("Ranked")
Places = tuple[int, int]  # the first and the last, from 1


def split_refs(ref: str) -> list[str]:
    """Return the runs of a list ``A,B,C``; a folder with a comma in its name is one."""
    return [ref] if Path(ref).exists() else [each for each in ref.split(",") if each]


def parse_places(ref: str) -> tuple[str, Places | None]:
    """Return what a user calls a sweep or cv, and the places behind it: ``SWEEP:3`` or ``SWEEP:1-5``.

    Raises:
        RunError: The places are turned round or begin with 0.
    """
    match = re.fullmatch(r"(.+):(\d+)(?:-(\d+))?", ref)
    if match is None or Path(ref).is_dir():
        return ref, None
    first, last = int(match[2]), int(match[3] or match[2])
    if not 1 <= first <= last:
        raise RunError(f"{ref}: got the places {first} to {last}; places are counted from 1, such as {match[1]}:1-5")
    return match[1], (first, last)


def averaged(ref: str, runs_dir: Path, *, is_ensemble: bool) -> Averaged | None:
    """Return whose answers are averaged; None where a run by itself, or an exported file, answers.

    Each run, each setting and each cv of a list has the same weight, which its folds or seeds share; an ensemble's
    members have the weights that were chosen.

    Args:
        ref: A run as users name it, with places, or several with commas between.
        runs_dir: Folder of all runs.
        is_ensemble: Whether the user asked for a mean; an ensemble is one without that.

    Raises:
        RunError: No such run, it is incomplete, or it is a single model of which there is no mean.
    """
    if not is_ensemble:
        return _chosen_before(ref, runs_dir)
    if file.named(ref) is not None:
        raise RunError(f"{ref}: got an exported file; only runs can be averaged")
    refs = split_refs(ref)
    groups = [group for each in refs for group in _groups(each, runs_dir)]
    if sum(map(len, groups)) < 2:
        kind = scan.find(runs_dir, parse_places(ref)[0]).manifest["kind"]
        raise RunError(
            f"{ref}: got a {kind} of one model; a mean needs a cv, an ensemble, SWEEP:1-5, or several: RUN,RUN"
        )
    whole = scan.find(runs_dir, parse_places(refs[0])[0])
    members = [(folder, weight / len(groups)) for group in groups for folder, weight in group]
    return Averaged(",".join(refs), str(whole.path) if len(refs) == 1 else "", members)


def candidates(ref: str, runs_dir: Path) -> list[RunFolder]:
    """Return the runs and cvs that an ensemble may be chosen from: of a sweep or cv all settings, unless it has places.

    Raises:
        RunError: No such run, it is incomplete, or it was validated on examples of its own.
    """
    name, places = parse_places(ref)
    folder = scan.find(runs_dir, name)
    kind = folder.manifest["kind"]
    if kind == "sweep":
        return [trial for trials in _settings(ref, folder, places or ALL) for trial in trials]
    if kind == "cv" and (result := folder.result) is not None and result.get("settings"):
        return [trial_folder(folder, record) for record in _at(ref, _whole(result["settings"]), places or ALL)]
    if places is not None:
        raise RunError(f"{ref}: got {a_kind(folder)}; only sweeps and cvs of several settings have places")
    if kind in ("fold", KIND):
        got, cure = ("a fold", "its cv") if kind == "fold" else ("an ensemble", "its members")
        raise RunError(f"{ref}: got {got}; an ensemble is chosen from runs, sweeps and cvs: name {cure}")
    return [folder]


def _chosen_before(ref: str, runs_dir: Path) -> Averaged | None:
    if file.named(ref) is not None:
        return None
    folder = scan.find(runs_dir, ref)
    if folder.manifest["kind"] != KIND:
        return None
    return Averaged(folder.run_id, str(folder.path), _members(folder, runs_dir))


def _groups(ref: str, runs_dir: Path) -> "list[list[tuple[RunFolder, float]]]":
    """Return the members that have the same weight, each as its models with their shares of it."""
    name, places = parse_places(ref)
    folder = scan.find(runs_dir, name)
    kind = folder.manifest["kind"]
    if kind == KIND:
        return [_members(folder, runs_dir)]
    if kind == "sweep":
        return [_shared(trials) for trials in _settings(ref, folder, places or (1, 1))]
    result = folder.result
    if places is not None and kind == "cv" and result is not None and result.get("settings"):
        records = _at(ref, _whole(result["settings"]), places)
        return [_shared(fold_folders(trial_folder(folder, record))) for record in records]
    if places is not None:
        raise RunError(f"{ref}: got {a_kind(folder)}; only sweeps and cvs of several settings have places")
    return [_shared([folder] if kind in SINGLE else fold_folders(folder))]


def _members(ensemble: RunFolder, runs_dir: Path) -> list[tuple[RunFolder, float]]:
    """Return an ensemble's models with their weights.

    Raises:
        RunError: One is gone.
    """
    result = ensemble.result or {"members": []}
    models: list[tuple[RunFolder, float]] = []
    for member in result["members"]:
        folder = _still_there(ensemble, member, runs_dir)
        sources = [folder] if folder.manifest["kind"] in SINGLE else fold_folders(folder)
        models += [(source, member["weight"] / len(sources)) for source in sources]
    if not models:
        raise RunError(f"{ensemble.run_id}: got an ensemble without a result; choose it anew")
    return models


def _still_there(ensemble: RunFolder, member: Mapping[str, Any], runs_dir: Path) -> RunFolder:
    place = Path(member["run_dir"])
    looks: list[Callable[[], RunFolder]] = [
        lambda: RunFolder.open(place),
        lambda: scan.find(runs_dir, member["run_id"]),
    ]
    for look in looks:
        try:
            return look()
        except RunError:
            continue
    raise RunError(
        f"{ensemble.run_id}: its member {member['run_id']} is gone from {place}; restore it from a copy or from the "
        "trash, or choose anew with `dlexp ensemble`"
    )


ALL: Places = (1, 0)  # to the last, however many there are


def _settings(ref: str, sweep: RunFolder, places: Places) -> list[list[RunFolder]]:
    """Return the trials of the settings of a sweep in these places, best first."""
    result: Any = sweep.result
    ranked = [] if result is None else rank_records(result)
    if not ranked:
        raise RunError(f"{ref}: no setting of this sweep has a value; `dlexp show {sweep.run_id}` says why")
    return [[trial_folder(sweep, trial) for trial in trials] for trials in _at(ref, ranked, places)]


def _at(ref: str, ranked: Sequence[Ranked], places: Places) -> list[Ranked]:
    first, last = places if places != ALL else (1, len(ranked))
    if last > len(ranked):
        raise RunError(f"{ref}: got the place {last} of {noun(len(ranked), 'setting')} with a value")
    return list(ranked[first - 1 : last])


def _whole(settings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the settings of a cv whose folds all have a value."""
    return [setting for setting in settings if Status(setting["status"]).has_value]


def _shared(folders: list[RunFolder]) -> list[tuple[RunFolder, float]]:
    return [(folder, 1 / len(folders)) for folder in folders]
