"""`dlexp schema`: the configuration as JSON Schema, for editors and other programs."""

from pathlib import Path
from typing import Annotated

import typer

from ...argument import ConfigDir, Debug, Json, Quiet
from ...output import people, show_json
from ...text import escape


def schema(
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Write it into the folder of YAML files, and the line that editors read into each file."
        ),
    ] = False,
    config_dir: ConfigDir = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Print the JSON Schema of a whole configuration; with `--write`, let editors check and complete your YAML files.

    Example: `dlexp schema --write`
    """
    if not write:
        from dlexp.config.schema.whole import schema as whole

        show_json(whole(config_dir))
        return
    from dlexp.config.schema.write import write as write_schema

    written = write_schema(config_dir or Path("conf"))
    console = people(json, is_quiet=quiet)
    console.print(f"wrote    {escape(written['schema'])}", soft_wrap=True)
    for path in written["changed"]:
        console.print(f"marked   {escape(path)}", soft_wrap=True)
    if not written["files"]:
        console.print("no YAML files there yet: give the command again when there are")
    if json:
        show_json(written)
