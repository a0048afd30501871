"""`dlexp config`: the resolved configuration as YAML."""

from ..argument import ConfigDir, Debug, Json, Overrides, Quiet
from ..output import show_json


def config(
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show the configuration that a run would have, checked and resolved.

    Example: `dlexp config model=cnn optimizer=adam optimizer.lr=0.001`
    """
    from dlexp.config.resolve import resolve, to_yaml

    composed = resolve(overrides or [], config_dir)
    if json:
        show_json(composed.config)
    elif not quiet:
        print(to_yaml(composed.config), end="")
