"""`dlexp ensemble`: which of several models to average, and what that is worth."""

from pathlib import Path
from typing import Annotated

import typer

from ...argument import Debug, Json, Quiet, RunsDir, Trust, allow
from ...output import Ending, people, show_json
from ...view.run import ensemble as view


def ensemble(
    run: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Runs, sweeps (each trial is a model), cvs; SWEEP:1-5 are its five best settings.",
        ),
    ],
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="That the choice optimises; none: log_loss, of values rmse.", show_default=False
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(min=0, max=1000, metavar="N", help="Models that are added, the same one again and again.")
    ] = 50,
    start: Annotated[
        int,
        typer.Option(min=1, max=1000, metavar="N", help="Begin with the mean of the best, up to N, as suits best."),
    ] = 1,
    bags: Annotated[
        int,
        typer.Option(min=0, max=1000, metavar="N", help="Choose N times from half of the models by lot, and average."),
    ] = 0,
    heaps: Annotated[
        int | None,
        typer.Option(
            min=2,
            max=100,
            metavar="K",
            help="Score by choosing K times without 1/K of the examples; 5 if not said, of cvs their folds.",
            show_default=False,
        ),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Choose which models to average, greedily, and say what that is worth where choosing does not flatter it.

    Example: `dlexp ensemble SWEEP`, then `dlexp predict last photos/`

    Models must be validated on the same examples; cvs by the same folds. What was chosen is a run of its own, which
    predict, compare, report, show and runs take.
    """
    allow(trust)
    from dlexp.job.ensemble.ensemble import Wish
    from dlexp.job.ensemble.ensemble import start as start_job

    console = people(json, is_quiet=quiet)
    ending = Ending(console, lambda outcome: view.show(outcome.result, outcome.notes, console))
    try:
        with console.status("choosing") as status:
            outcome = start_job(
                run,
                runs_dir,
                Wish(metric, steps, start, bags, heaps),
                tell=lambda done, total: status.update(f"choosing: {done} of {total} without some examples"),
                show=lambda outcome: (status.stop(), ending.tell(outcome))[1],
            )
        ending.close(outcome)
    finally:
        ending.stop()
    if json:
        show_json(outcome.result)
    return outcome.exit_code
