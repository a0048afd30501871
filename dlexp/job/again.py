"""How to go on with a run: the command, whole, with how this one was told to draw figures; and what to name instead."""

import shlex

from dlexp.figure.style.look import flags
from dlexp.run.folder import RunFolder
from dlexp.run.name import reference
from dlexp.run.stored import require_unedited


def resume_command(folder: RunFolder, *more: str) -> str:
    """Return the command, to be pasted, that goes on with a run, or with the sweep or cv that it is inside.

    Args:
        folder: The run's.
        more: Options that the command was given and that have to be given again.
    """
    whole = folder
    while whole.parent is not None:
        whole = whole.parent
    if whole.manifest["kind"] == "ensemble":  # it takes seconds, and is chosen anew
        return str(whole.manifest["command"])
    return shlex.join(["dlexp", str(whole.manifest["kind"]), "--resume", reference(whole), *more, *flags()])


def a_kind(folder: RunFolder) -> str:
    """Return what a run is, with its article: "a cv", "an ensemble"."""
    kind = str(folder.manifest["kind"])
    return f"{'an' if kind == 'ensemble' else 'a'} {kind}"


def named_inside(folder: RunFolder) -> str:
    """Return what a run of runs is, and how one of these is named, for a command that needs a single model."""
    if folder.manifest["kind"] == "ensemble":
        return f"an ensemble; name one of its members, which `dlexp show {reference(folder)}` lists"
    return f"{a_kind(folder)}; name one of the runs in it, {folder.path}/*/*"


def notes_of_done(folder: RunFolder) -> list[str]:
    """Return what is said of a run that is done and is to be gone on with.

    Raises:
        RunError: Its configuration was edited: what is shown does not follow from it.
    """
    require_unedited(folder)
    word = "cv" if folder.manifest["kind"] == "cv" else "run"
    return [f"{word} {folder.run_id} is {folder.manifest['status']}; there is nothing to resume"]
