"""The figures of a sweep, from its settings and their run folders."""

from dlexp.config.wording import describe
from dlexp.job.sweep.leaderboard import RankedSetting
from dlexp.job.sweep.spec import SweepSpec
from dlexp.run.folder import RunFolder


def draw_figures(
    spec: SweepSpec, folder: RunFolder, ranking: list[RankedSetting], importances: dict[str, float]
) -> None:
    """Draw each dimension and pair against the objective, parallel coordinates, the learning curves of the best."""
    from dlexp.report import pair, search

    results = [result for ranked in ranking for result in ranked.results]
    keys = [d.key for d in spec.space.dimensions]
    log_keys = {d.key for d in spec.space.dimensions if d.is_log}
    points = [search.Point(e.trial.proposal.settings, e.value if e.is_whole else None, e.trial.round) for e in results]
    whole = [result for result in results if result.is_whole]
    if keys:
        search.draw_dimensions(points, keys, log_keys, spec.metric, folder.figures / "dimensions.png")
    if not whole:
        return
    if keys:
        path = folder.figures / "parallel.png"
        search.draw_parallel(points, keys, log_keys, spec.metric, path, is_high_better=spec.is_high_better)
    if len(keys) > 1:
        path = folder.figures / "pairs.png"
        first = sorted(keys, key=lambda key: -importances.get(key, 0.0))
        pair.draw_pairs(points, first, log_keys, spec.metric, path, is_high_better=spec.is_high_better)
    best = [(describe(e.trial.overrides), e.folder.history()) for e in whole[: search.TOP]]
    search.draw_curves(best, spec.metric, folder.figures / "curves.png")
