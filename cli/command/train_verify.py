"""`dlexp train --verify-trial RUN`: trains a run again, alone, and says whether it is the same to the bit."""

from pathlib import Path

from ..output import people, show_json
from ..view import train_verify as view

DEVICE = "trainer.device="


def verify_trial(
    run: str, runs_dir: Path, overrides: list[str], others: object, *, is_json: bool, is_quiet: bool
) -> int:
    """Verify a run and return the exit code: 0 the same to the bit, 1 not.

    Args:
        run: Id, unique prefix, folder or last; trials and folds too.
        runs_dir: Folder of all runs.
        overrides: None, or the device to train on instead of the run's: trainer.device=...
        others: Whatever else was given, which has no meaning here.
        is_json: Print one JSON document.
        is_quiet: Print nothing but errors.
    """
    from dlexp.error import ConfigError
    from dlexp.run import scan

    if others or not all(override.startswith(DEVICE) for override in overrides):
        raise ConfigError(
            "--verify-trial: got other settings too; a run is verified as it is, so give it alone, or with a device: "
            "trainer.device=cpu"
        )
    device = overrides[-1].removeprefix(DEVICE) if overrides else None
    if not list(runs_dir.glob("*")):
        scan.find(runs_dir, run)  # an unknown run is known before torch is imported, which takes seconds
    from dlexp.job.train.verify import verify

    console = people(is_json, is_quiet=is_quiet)
    verification = verify(run, runs_dir, console.print, device)
    view.show(verification, console)
    if is_json:
        show_json(verification)
    return 0 if verification["is_bitwise"] else 1
