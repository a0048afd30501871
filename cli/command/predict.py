"""`dlexp predict`: what a trained model says of new examples."""

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from ..argument import Debug, Device, Json, Quiet, RunsDir, Trust, allow, take_file
from ..output import people, show_json
from ..text import escape
from ..view import predict as view


def accept_exported(name: str) -> None:
    """Let an exported file be read that the user named with --trust.

    Raises:
        ConfigError: It is no .pt2, which alone needs that.
        RunError: It cannot be read.
    """
    from dlexp.config.trust import accept_file
    from dlexp.disk.regular import read_bytes
    from dlexp.error import ConfigError, RunError

    path = Path(name)
    if path.suffix.lower() != ".pt2":
        raise ConfigError(f"--trust: got {name}; a package, or the .pt2 that predicts, is needed")
    try:
        accept_file(sha256(read_bytes(path)).hexdigest(), path)
    except OSError as error:
        raise RunError(f"{name}: cannot be read ({error.strerror})") from error


def predict(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="Id, unique prefix, folder or last; an exported file; with --ensemble RUN,RUN too."
        ),
    ],
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT...", help="Images, folders, .csv, .parquet or .npy files; of pairs two."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(parser=take_file, metavar="FILE", help="Write a .csv or .parquet file.", show_default=False),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write a .csv's texts as they are, formulas and control characters too.")
    ] = False,
    ensemble: Annotated[
        bool,
        typer.Option(
            "--ensemble",
            help="Average the probabilities, or values, of a cv's folds, of SWEEP:1-5, or of several: RUN,RUN.",
        ),
    ] = False,
    device: Device = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Predict class and probability, or value, of new examples.

    Example: `dlexp predict last photos/ --out predictions.csv`, of all folds of a cv together
    `dlexp predict --ensemble CV photos/`, of a sweep's five best settings `dlexp predict --ensemble SWEEP:1-5 photos/`.
    A run of task=pairs compares two files: `dlexp predict last a.png b.png`
    """
    allow([name for name in trust or [] if name != run])
    if run in (trust or []):
        accept_exported(run)
    from dlexp.job.ensemble.member import averaged
    from dlexp.job.inference import predict as job

    if out is not None:
        job.check_out(out)
    together = averaged(run, runs_dir, is_ensemble=ensemble)
    predictions = job.predict(run, runs_dir, inputs, averaged=together, device=device or "cpu")
    console = people(json, is_quiet=quiet)
    for warning in predictions["warnings"]:
        console.print(f"[yellow]warning[/] {escape(warning)}")
    view.show(predictions, console)
    if out is not None:
        job.write(predictions, out, is_raw=raw)
        console.print(f"written  {escape(str(out))}")
    if json:
        show_json(predictions)
