"""`dlexp diagnose`: why a configuration, or a run, does not learn."""

from pathlib import Path
from typing import Annotated

import typer

from ...argument import (
    ConfigDir,
    Debug,
    Device,
    FigureDpi,
    FigureSize,
    Json,
    Quiet,
    RunsDir,
    Trust,
    allow,
    take_figure,
)
from ...output import people, show_json
from ...view.run import diagnose as view


def diagnose(
    target: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN|OVERRIDE...]",
            help="A run: id, unique prefix, folder or last; or overrides of a training that has not begun.",
            show_default=False,
        ),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw activations and gradients by layer to a .png, .pdf or .svg.",
            show_default=False,
            parser=take_figure,
        ),
    ] = None,
    figure_size: FigureSize = None,
    figure_dpi: FigureDpi = 200,
    device: Device = None,
    runs_dir: RunsDir = Path("runs"),
    config_dir: ConfigDir = None,
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Say why a training does not learn: layers, the cause, the number and the override that cures it.

    Example: `dlexp diagnose init=zeros`
    """
    allow(trust)
    words = target or []
    if len(words) == 1 and "=" not in words[0] and not words[0].startswith("~"):
        from dlexp.run import scan

        scan.find(runs_dir, words[0])  # an unknown run is known before torch is imported
        from dlexp.job.diagnose import diagnose_run

        document = diagnose_run(words[0], runs_dir, figure, device)
    else:
        if device is not None:
            from dlexp.error import ConfigError

            raise ConfigError(f"--device: has no effect without a run; trainer.device={device} does it")
        from dlexp.config.resolve import resolve
        from dlexp.job.transfer.weights import with_weights

        composed = resolve(with_weights(words, config_dir), config_dir)
        from dlexp.job.diagnose import diagnose as job

        document = job(composed, figure)
    view.show(document, people(json, is_quiet=quiet))
    if json:
        show_json(document)
