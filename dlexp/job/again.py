"""How to go on with a run: the command, whole, with how this one was told to draw figures; and that none is needed."""

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


def notes_of_done(folder: RunFolder) -> list[str]:
    """Return what is said of a run that is done and is to be gone on with.

    Raises:
        RunError: Its configuration was edited: what is shown does not follow from it.
    """
    require_unedited(folder)
    word = "cv" if folder.manifest["kind"] == "cv" else "run"
    return [f"{word} {folder.run_id} is {folder.manifest['status']}; there is nothing to resume"]
