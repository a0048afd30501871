"""`dlexp compare`: paired statistics of two or more runs, and the noise of seeds."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from ..argument import Debug, FigureDpi, FigureSize, Json, Quiet, RunsDir, Trust, TypedDir, allow, take_figure
from ..output import people, show_json
from ..text import escape
from ..view import compare as view
from ..view import compare_noise as noise_view

if TYPE_CHECKING:
    from dlexp.job.compare.document import Comparison

SEEDS = 8


def compare(
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN",
            help="Ids, unique prefixes, folders or last; SWEEP:3 is the setting in third place.",
            show_default=False,
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="For example f1_macro; none: accuracy or rmse.", show_default=False),
    ] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw the intervals to a .png, .pdf or .svg.", show_default=False, parser=take_figure
        ),
    ] = None,
    figure_size: FigureSize = None,
    figure_dpi: FigureDpi = 200,
    noise: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Instead: how far seeds alone move this run, source by source.", show_default=False
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=2, metavar="N", help="With --noise: seeds of each source, 8 if not said.", show_default=False),
    ] = None,
    fail_if: Annotated[
        Literal["worse"] | None,
        typer.Option(
            metavar="worse", help="Exit with 1 where a later run is worse than the first one.", show_default=False
        ),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    config_dir: TypedDir = None,
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Say which of two or more runs, sweeps or cross-validations on the same split is better, or that one cannot tell.

    Example: `dlexp compare 3f8a 3f9k --metric f1_macro`

    Runs that differ in nothing but the seed stand together. `dlexp compare --noise RUN` trains a run's configuration
    with other seeds of initialisation, data order, augmentation and dropout, one at a time and all at once.
    """
    allow(trust)
    from dlexp.error import ConfigError

    console = people(json, is_quiet=quiet)
    if noise is not None:
        if run or fail_if:
            raise ConfigError("--noise: got other runs or --fail-if too; it takes one run and compares it with itself")
        return _show_noise(noise, runs_dir, seeds or SEEDS, metric, config_dir, figure, console, is_json=json)
    if seeds is not None or config_dir is not None:
        raise ConfigError("--seeds and --config-dir: have no effect here; `dlexp compare --noise RUN` reads them")
    from dlexp.job.compare.comparison import compare as compare_job

    comparison = compare_job(run or [], runs_dir, metric)
    view.show(comparison, console)
    if figure is not None:
        from dlexp.figure.compare import difference_figure
        from dlexp.figure.style.canvas import save

        console.print(f"figure  {escape(str(save(difference_figure(comparison), figure)))}")
    if json:
        show_json(comparison)
    return _judge(comparison, console) if fail_if else 0


def _judge(comparison: "Comparison", console: Console) -> int:
    """Return 1 where a later run is worse than the first one, and say which."""
    from dlexp.job.compare.verdict import worse_than_the_first

    worse = worse_than_the_first(comparison)
    for label in worse:
        console.print(f"[red]worse than the first: {escape(label)}[/]")
    return 1 if worse else 0


def _show_noise(
    ref: str,
    runs_dir: Path,
    seeds: int,
    metric: str | None,
    config_dir: Path | None,
    figure: Path | None,
    console: Console,
    *,
    is_json: bool,
) -> int:
    """Measure and show; return the exit code."""
    from dlexp.job.compare.seed_noise import SOURCES, measure

    names = {source: f"other seeds of {name}" for source, name in SOURCES.items()} | {"all": "all seeds together"}
    measured = measure(
        ref,
        runs_dir,
        seeds,
        metric,
        config_dir,
        announce=lambda source, number, total: noise_view.SourceAnnouncer(console, names[source], number, total),
    )
    document = measured.document
    if document is None:
        # sweeps are newer than the run: `last` would be one of them
        words = {"noise": measured.run_id, "seeds": seeds, "metric": metric, "config-dir": config_dir, "figure": figure}
        console.print(f"interrupted; go on with: {escape(_again(words, runs_dir))}", soft_wrap=True)
        return measured.exit_code
    noise_view.show(document, console)
    if figure is not None:
        from dlexp.figure.noise import noise_figure
        from dlexp.figure.style.canvas import save

        console.print(f"figure  {escape(str(save(noise_figure(document), figure)))}")
    if is_json:
        show_json(document)
    return 0


def _again(words: dict[str, object], runs_dir: Path) -> str:
    """Return the command that goes on measuring, with what this one was given."""
    from dlexp.figure.style.look import flags
    from dlexp.run.name import runs_dir_flags

    given = [text for name, value in words.items() if value is not None for text in (f"--{name}", str(value))]
    return shlex.join(["dlexp", "compare", *given, *flags(), *runs_dir_flags(runs_dir)])
