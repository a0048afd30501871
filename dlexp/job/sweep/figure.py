"""The figures of a sweep, from its settings and their run folders."""

from functools import partial

from dlexp.config.wording import setting_text
from dlexp.figure.attempt import Drawings
from dlexp.job.sweep.leaderboard import RankedSetting
from dlexp.job.sweep.spec import SweepSpec
from dlexp.run.folder import RunFolder


def draw_figures(
    spec: SweepSpec, folder: RunFolder, ranking: list[RankedSetting], importances: dict[str, float]
) -> None:
    """Write the figures of a sweep."""
    from dlexp.figure.style.canvas import save_all

    save_all(sweep_figures(spec, ranking, importances), folder.figures, folder.log)


def sweep_figures(spec: SweepSpec, ranking: list[RankedSetting], importances: dict[str, float]) -> Drawings:
    """Return what draws dimensions and pairs against the objective, curves, and from three on parallel coordinates.

    Args:
        spec: What was searched.
        ranking: The settings, best first.
        importances: By dimension; the most important is drawn first.
    """
    from dlexp.figure import pair, parallel, search
    from dlexp.figure.point import Point
    from dlexp.figure.style.scale import are_geometric

    dimensions = spec.space.dimensions
    keys = sorted((d.key for d in dimensions), key=lambda key: -importances.get(key, 0.0))
    log_keys = {d.key for d in dimensions if d.is_log or are_geometric(d.values or [])}
    points = [
        Point(e.trial.proposal.settings, e.value if e.is_whole else None, e.trial.round, e.trial.id)
        for ranked in ranking
        for e in ranked.results
    ]
    figures: Drawings = {}
    if keys:
        figures["dimensions"] = partial(search.dimension_figure, points, keys, log_keys, spec.metric)
    whole = [ranked for ranked in ranking if any(result.is_whole for result in ranked.results)]
    if not whole:
        return figures
    is_high_better = spec.is_high_better
    if len(keys) >= parallel.FEWEST_KEYS:
        figures["parallel"] = partial(
            parallel.parallel_figure, points, keys, log_keys, spec.metric, is_high_better=is_high_better
        )
    if len(keys) > 1:
        figures["pairs"] = partial(pair.pair_figure, points, keys, log_keys, spec.metric, is_high_better=is_high_better)
    best = [
        (setting_text(ranked.settings, is_short=True), [e.folder.history() for e in ranked.results if e.is_whole])
        for ranked in whole[: search.TOP]
    ]
    figures["curves"] = partial(search.curve_figure, best, spec.metric)
    return figures
