"""The metric that runs are compared by."""

from collections.abc import Sequence

from dlexp.data.joint.head import Head
from dlexp.error import ConfigError, did_you_mean
from dlexp.job.compare.side import Side, has_user_metrics
from dlexp.statistic import score
from dlexp.type import RECONSTRUCT


def choose_metric(wanted: str | None, sides: list[Side]) -> tuple[str, list[Side]]:
    """Return the name of a metric that all sides have, and the sides; a user's metric joins their predictions.

    Of several targets it is TARGET/accuracy and the like, and the sides have the predictions of that target alone.

    Raises:
        ConfigError: There is none of that name.
        RunError: It is the user's, whose code may not run.
    """
    predictions = next(iter(sides[0].splits.values()))[0]
    if predictions.heads:
        return _choose_of_several(wanted, sides, predictions.heads)
    num_classes = max(2, predictions.outputs.shape[1]) if predictions.outputs.ndim > 1 else 0
    is_error = sides[0].task == RECONSTRUCT
    known = score.OF_ERRORS if is_error else score.names(num_classes, predictions.measure.link)
    name = known[0] if wanted is None else wanted.removeprefix("val/")
    if name in known:
        return name, sides
    for side in sides:
        if has_user_metrics(side):
            from dlexp.job.compare.user_metric import user_metrics  # torch, which no other metric needs

            metrics = user_metrics(side)
            if name in metrics:
                return name, [other.with_metric(metrics[name]) for other in sides]
            known = [*known, *metrics]
    raise ConfigError(f"--metric: got {wanted}; choose one of {', '.join(known)}{did_you_mean(name, known)}")


def _choose_of_several(wanted: str | None, sides: list[Side], heads: Sequence[Head]) -> tuple[str, list[Side]]:
    known = {
        f"{head.label}/{name}": place
        for place, head in enumerate(heads)
        for name in score.names(head.num_classes)
        if name != "huber"
    }
    name = next(iter(known)) if wanted is None else wanted.removeprefix("val/")
    if name not in known:
        raise ConfigError(f"--metric: got {wanted}; choose one of {', '.join(known)}{did_you_mean(name, list(known))}")
    return name, [side.of_target(known[name]) for side in sides]
