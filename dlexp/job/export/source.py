"""Whose model is exported: a training run, a trial, a fold, or a setting of a sweep."""

from dataclasses import dataclass
from pathlib import Path

from dlexp.error import RunError
from dlexp.job.again import resume_command
from dlexp.job.compare.side import parse_place
from dlexp.job.sweep.recorded import rank_records, trial_folder
from dlexp.number import noun
from dlexp.run import scan
from dlexp.run.folder import RunFolder

TRAINED = ("train", "trial", "fold")


@dataclass(frozen=True)
class Source:
    """A trained model.

    Attributes:
        folder: Of its run.
        sweep: The sweep that it was picked of; None for a run by itself.
        place: Its place among the settings with a value, from 1.
        num_settings: Of the sweep, with a value.
    """

    folder: RunFolder
    sweep: RunFolder | None = None
    place: int = 1
    num_settings: int = 0


def find_source(runs_dir: Path, ref: str) -> Source:
    """Return the model that a user means.

    Args:
        runs_dir: Folder of all runs.
        ref: A run as users name it; of a sweep the best setting, or ``SWEEP:3`` the one in third place. Of several
            seeds the first: the best of them would be luck.

    Raises:
        RunError: No such run, no such place, or a cv, which has no model of its own.
    """
    name, place = parse_place(ref)
    folder = scan.find(runs_dir, name)
    kind = folder.manifest["kind"]
    if kind == "sweep":
        return _setting(ref, folder, place or 1)
    if kind == "ensemble":
        raise RunError(f"{ref}: got an ensemble, which is several models; export its members, or use dlexp predict")
    if kind not in TRAINED:
        raise RunError(
            f"{ref}: got a {kind}, whose models are those of its folds; name one of {folder.path}/*/*, or train the "
            "configuration on all with `dlexp train train_on=train+val`"
        )
    if place is not None:
        raise RunError(f"{ref}: got a {kind}; only sweeps have places")
    return Source(folder)


def _setting(ref: str, sweep: RunFolder, place: int) -> Source:
    result = sweep.result
    ranked = [] if result is None else rank_records(result)
    if not ranked:
        raise RunError(f"{ref}: no trial of this sweep has finished; go on with {resume_command(sweep)}")
    if not 1 <= place <= len(ranked):
        raise RunError(f"{ref}: got the place {place} of {noun(len(ranked), 'setting')} with a value")
    return Source(trial_folder(sweep, ranked[place - 1][0]), sweep, place, len(ranked))
