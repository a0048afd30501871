"""Commands that go on with a run, whole: with where it lies and how this command was told to draw figures."""

import shlex

from dlexp.figure.style.look import flags
from dlexp.run.folder import RunFolder
from dlexp.run.name import reference


def resume_command(folder: RunFolder, *more: str) -> str:
    """Return the command, to be pasted, that goes on with a run, or with the sweep or cv that it is inside.

    Args:
        folder: The run's.
        more: Options that the command was given and that have to be given again.
    """
    whole = folder
    while whole.parent is not None:
        whole = whole.parent
    return shlex.join(["dlexp", str(whole.manifest["kind"]), "--resume", reference(whole), *more, *flags()])
