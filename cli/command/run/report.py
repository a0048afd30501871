"""`dlexp report`: a page about a run, a comparison or the whole project, in one file."""

import webbrowser
from pathlib import Path
from typing import Annotated, Literal

import typer

from ...argument import Debug, Json, Quiet, RunsDir, Trust, allow, take_file
from ...output import people, show_json
from ...text import escape


def report(
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="Ids, unique prefixes, folders or last; two and more are compared; none: all runs.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        Literal["html", "md", "tex"] | None,
        typer.Option(
            "--format",
            help="HTML with figures, Markdown for a pull request, or the tables in LaTeX; none: what FILE ends with.",
            show_default="html",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            parser=take_file,
            metavar="FILE",
            help="Where to write; none: report.html in the run's folder.",
            show_default=False,
        ),
    ] = None,
    should_open: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write one file that answers a run's question on its first line, with figures and tables; it opens offline.

    Example: `dlexp report last --open`
    """
    allow(trust)
    from dlexp.job.report.page import report as report_job

    console = people(json, is_quiet=quiet)
    document = report_job(run or [], runs_dir, form, out)
    console.print(escape(document["question"]), soft_wrap=True)
    console.print(escape(document["answer"]), soft_wrap=True)
    console.print(f"report  {escape(document['path'])}", soft_wrap=True)
    if document["sync"]:
        console.print(f"MLflow  {escape(document['sync'])} makes the page an artifact of its run", soft_wrap=True)
    if should_open and not webbrowser.open(Path(document["path"]).absolute().as_uri()):
        console.print("no browser was found; open the file above")
    if json:
        show_json(document)
