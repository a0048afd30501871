"""`dlexp compare --noise`: how far seeds alone move a run."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from ..output import show_json
from ..view import compare_noise as view


def show_noise(
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
        ref, runs_dir, seeds, metric, config_dir, announce=lambda source: view.SourceAnnouncer(console, names[source])
    )
    found = measured.document
    if found is None:
        # sweeps are newer than the run: `last` would be one of them
        console.print(f"interrupted; go on with: dlexp compare --noise {measured.run_id} --seeds {seeds}")
        return measured.exit_code
    view.show(found, console)
    if figure is not None:
        from dlexp.report.noise import draw

        console.print(f"figure  {escape(str(draw(found, figure)))}")
    if is_json:
        show_json(found)
    return 0
