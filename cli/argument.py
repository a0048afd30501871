"""The arguments and options that several commands share."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

ALONE = ("resume", "verify", "source")  # with these options, the run's own folder of YAML files counts


def take_config_dir(context: typer.Context, folder: Path | None) -> Path | None:
    """Return the user's folder of YAML files, the project's by default, and say which shipped files it replaces."""
    from dlexp.config.source.defaults import read_defaults

    if folder is None and not any(context.params.get(name) for name in ALONE):
        folder = read_defaults().config_dir
    return take_typed_dir(context, folder)


def take_typed_dir(context: typer.Context, folder: Path | None) -> Path | None:
    """Return the user's folder of YAML files, only where it was typed, and say which shipped files it replaces."""
    from dlexp.config.catalog import misnamed_files, replaced_files

    if folder is not None and folder.is_dir() and not context.params.get("quiet"):
        for name in replaced_files(folder):
            print(f"note: {folder / name} stands in for the shipped {name}", file=sys.stderr)
        for path in misnamed_files(folder):
            print(f"note: {path} is not read; rename it to {path.stem}.yaml", file=sys.stderr)
    return folder


def _folder_of_options(callback: Callable[[typer.Context, Path | None], Path | None]) -> Any:
    """Return the option `--config-dir`, with what becomes of its value."""
    return typer.Option(
        "--config-dir",
        metavar="DIR",
        help="A folder with your own YAML files.",
        show_default=False,
        callback=callback,
    )


def take_runs_dir(context: typer.Context, parameter: typer.CallbackParam, folder: Path) -> Path:
    """Return the folder of all runs, the project's by default."""
    from dlexp.config.source.defaults import read_defaults

    source = context.get_parameter_source(str(parameter.name))
    return read_defaults().runs_dir if source is not None and source.name == "DEFAULT" else folder


def take_look(context: typer.Context, parameter: typer.CallbackParam, value: str | int | None) -> str | int | None:
    """Have the figures of this command drawn in a format, size or resolution."""
    from dlexp.figure.style.look import change_look, look, read_size

    before = vars(look())
    context.call_on_close(lambda: change_look(**before))
    if parameter.name == "figure_size":
        width, height = (None, None) if value is None else read_size(str(value))
        change_look(width=width, height=height)
    else:
        change_look(**{str(parameter.name).removeprefix("figure_"): value})
    return value


def take_file(text: str) -> Path:
    """Return the path of a file to be written; a folder, or what can only be one, is refused before anything else."""
    from dlexp.error import ConfigError

    if Path(text).is_dir() or text.endswith((os.sep, f"{os.sep}.", f"{os.sep}..")):
        raise ConfigError(f"{text}: got a folder; a file is needed")
    return Path(text)


def take_figure(text: str) -> Path:
    """Return the file of a figure; one of a format that cannot be written is refused before anything is computed."""
    from dlexp.figure.style.look import require_format

    file = take_file(text)
    require_format(file)
    return file


Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[OVERRIDE]...",
        help="Hydra overrides, for example model=cnn optimizer.lr=0.1",
        show_default=False,
    ),
]
ConfigDir = Annotated[Path | None, _folder_of_options(take_config_dir)]
TypedDir = Annotated[Path | None, _folder_of_options(take_typed_dir)]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="Where to compute: auto, cpu, mps, cuda or cuda:N; by itself predict takes the CPU, others the run's.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, all else on stderr.")]
Events = Annotated[
    bool,
    typer.Option(
        "--events", help="Print one JSON line per event on stdout: start, epoch, trial, fold, end; all else on stderr."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", is_eager=True, help="Print nothing but errors.")]
Trust = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PACKAGE",
        help="Let code of this package run, which the run's configuration names; repeat for more.",
        show_default=False,
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
FigureFormat = Annotated[
    Literal["png", "pdf", "svg"], typer.Option("--figure-format", help="Format of the figures.", callback=take_look)
]
FigureSize = Annotated[
    str | None,
    typer.Option(
        "--figure-size",
        metavar="SIZE",
        help="Width, or WIDTHxHEIGHT, of each figure in cm: 8 for a column of a paper, 16 for its page.",
        show_default=False,
        callback=take_look,
    ),
]
FigureDpi = Annotated[
    int,
    typer.Option(
        "--figure-dpi", metavar="N", min=50, max=1200, help="Dots an inch of a PNG figure.", callback=take_look
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything that can be checked, then stop.")]
Resume = Annotated[
    str | None,
    typer.Option(metavar="RUN", help="Go on where it ended: id, unique prefix, folder or last.", show_default=False),
]
ResumeDir = Annotated[
    Path, typer.Option("--runs-dir", help="The folder in which a run is looked for.", callback=take_runs_dir)
]
RunsDir = Annotated[
    Path, typer.Option("--runs-dir", metavar="DIR", help="The folder of all runs.", callback=take_runs_dir)
]

Timeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0.001,
        max=86400,
        help="Longest time that MLflow's store may take to answer; as tracking.timeout.",
        show_default=False,
    ),
]


def allow(packages: list[str] | None) -> None:
    """Let the code of the packages run that the user named with --trust."""
    if packages:
        from dlexp.config.trust import accept

        accept(packages)
