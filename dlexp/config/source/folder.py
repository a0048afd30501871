"""The user's folder of YAML files, kept with a run: it is composed again when the folder has moved or changed."""

import shutil
from itertools import islice
from pathlib import Path

from dlexp.config.guard import check_folder

COPY = "conf"  # inside a run folder
_MANIFEST = "manifest.json"
_DEEPEST = 7  # a trial inside a fold inside a cv


def store_copy(config_dir: Path | None, run: Path) -> None:
    """Copy the YAML files of the user's folder into a run folder.

    Args:
        config_dir: The user's; None leaves nothing.
        run: The run folder.

    Raises:
        ConfigError: A file of the folder cannot be read safely.
    """
    if config_dir is None or config_dir.resolve() == (run / COPY).resolve():
        return
    for name, _, _ in check_folder(config_dir):
        target = run / COPY / Path(name).relative_to(config_dir)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(name, target)


def stored_copy(run: Path) -> Path | None:
    """Return the copy in a run folder, or in that of the sweep or cv that it belongs to; None where there is none."""
    holders = [place for place in islice((run, *run.parents), _DEEPEST) if (place / _MANIFEST).is_file()]
    return next((place / COPY for place in holders if (place / COPY).is_dir()), None)
