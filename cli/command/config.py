"""`dlexp config`: the resolved configuration as YAML."""

from dataclasses import replace
from typing import Annotated

import typer

from ..argument import ConfigDir, Debug, Json, Overrides, Quiet
from ..output import show_json


def config(
    overrides: Overrides = None,
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where every value comes from: file and line, or command line.")
    ] = False,
    config_dir: ConfigDir = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Show the configuration that a run would have, checked and resolved.

    Example: `dlexp config model=cnn optimizer=adam optimizer.lr=0.001`
    """
    from dlexp.config.resolve import resolve, to_yaml
    from dlexp.config.rule.relation import check_monitor
    from dlexp.config.source import origin as source
    from dlexp.config.source.environment import redact_all

    composed = resolve(overrides or [], config_dir)
    check_monitor(composed.config)
    composed = replace(composed, config=redact_all(composed.config))
    table = source.origins(composed) if origin else {}
    if json:
        show_json(table or composed.config)
    elif not quiet:
        print(source.to_yaml(table) if origin else to_yaml(composed.config), end="")
