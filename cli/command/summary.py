"""`dlexp summary`: the layer table of a model."""

from ..argument import ConfigDir, Debug, Json, Overrides, Quiet
from ..output import people, show_json
from ..view import summary as view


def summary(
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show a model layer by layer: shapes, parameters, FLOPs, receptive field; no weights are made.

    Example: `dlexp summary model=resnet model.depth=50 data=fake data.shape=[3,224,224]`
    """
    from dlexp.config.resolve import resolve
    from dlexp.job.transfer.weights import with_weights

    composed = resolve(with_weights(overrides or [], config_dir), config_dir)
    from dlexp.build.summary import summary as summary_job

    document = summary_job(composed)
    view.show(document, people(json, is_quiet=quiet))
    if json:
        show_json(document)
