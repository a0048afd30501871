"""`dlexp export`: a run's model as one file that others can use."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from ...argument import Debug, Json, Quiet, RunsDir, Trust, allow
from ...output import people, show_json
from ...text import escape


def export(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="Id, unique prefix, folder or last; SWEEP:3 is its third setting.")
    ],
    form: Annotated[
        Literal["pt2", "onnx", "safetensors"] | None,
        typer.Option(
            "--format",
            help="torch.export; ONNX (pip install 'dlexp[export]'); or weights alone. None: what FILE ends with.",
            show_default="pt2",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where to write; none: export/model.FORMAT in the run's folder.", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a run's model as one file, once it gives the run's own answers, with a card beside it.

    Example: `dlexp export last --format onnx --out net.onnx`
    """
    allow(trust)
    from dlexp.job.export.export import export as export_job

    console = people(json, is_quiet=quiet)
    document = export_job(run, runs_dir, form, out, is_forced=force)
    batches = ", ".join(str(size) for size in document["batches"][:-1])
    which = "validation" if document["examples"] == "val" else "training"
    examples = f"{which} {'examples' if len(document['inputs']) == 1 else 'pairs'}"
    console.print(
        f"model   {escape(document['path'])}  {document['bytes']:,} bytes, {document['seconds']:.1f} s", soft_wrap=True
    )
    console.print(
        f"checked largest difference {document['difference']:.2g} of {document['allowed']:g} allowed, on "
        f"{examples} in batches of {batches} and "
        f"{document['batches'][-1]}",
        soft_wrap=True,
    )
    console.print(f"card    {escape(document['card'])}", soft_wrap=True)
    if json:
        show_json(document)
