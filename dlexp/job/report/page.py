"""The page of whatever a user names, and where it is written."""

from pathlib import Path
from typing import Annotated, Literal, get_args

from typing_extensions import TypedDict

from dlexp.config.wording import command_line
from dlexp.disk.durable import write_text
from dlexp.error import ConfigError
from dlexp.job.report.compare import page_of_comparison
from dlexp.job.report.cv import page_of_cv
from dlexp.job.report.ensemble.page import page_of_ensemble
from dlexp.job.report.project import page_of_project
from dlexp.job.report.sweep import page_of_sweep
from dlexp.job.report.train import page_of_training
from dlexp.report import html, latex, markdown
from dlexp.report.model import Page
from dlexp.run.folder import RunFolder, is_run
from dlexp.run.listing.page import page as known
from dlexp.run.name import clean, reference
from dlexp.run.scan import find
from dlexp.tracking.sent import Sent
from dlexp.type import one_of

Form = Literal["html", "md", "tex"]
WRITERS = {"html": html.write, "md": markdown.write, "tex": latex.write}
NAME = "report"


class Report(TypedDict):
    """A page that was written.

    Attributes:
        kind: "report".
        about: Of what it is.
        path: Of the file.
        format: Of the file.
        question: Its title.
        answer: Its first sentence.
        bytes: Of the file.
        sync: The command that makes the page an artifact of its run in MLflow; "" where MLflow does not have that run.
    """

    kind: Annotated[str, one_of("report")]
    about: Annotated[str, one_of("train", "sweep", "cv", "ensemble", "compare", "project")]
    path: str
    format: Annotated[str, one_of("html", "md", "tex")]
    question: str
    answer: str
    bytes: int
    sync: str


def page_of_run(folder: RunFolder) -> Page:
    """Return the page of one run: a training, a sweep, a cv or an ensemble."""
    pages = {"sweep": page_of_sweep, "cv": page_of_cv, "ensemble": page_of_ensemble}
    return pages.get(str(folder.manifest["kind"]), page_of_training)(folder, known(folder))


def report(refs: list[str], runs_dir: Path, form: Form | None = None, out: Path | None = None) -> Report:
    """Write the page of a run, of a comparison of two and more, or of all runs.

    Args:
        refs: Runs as users name them; none for all.
        runs_dir: Folder of all runs.
        form: Of the file; None takes that which the name of `out` ends with, else HTML.
        out: The file; None is ``report.html`` in the folder of the run, or of all runs.

    Raises:
        RunError: No such run, or nothing that a page could show.
        ConfigError: The form and the name of the file do not fit each other.
    """
    chosen = _form(form, out)
    page, about, place = _page(refs, runs_dir)
    text, path = WRITERS[chosen](page), out or place.with_name(f"{place.name}.{chosen}")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    return {
        "kind": "report",
        "about": about,
        "path": str(path),
        "format": chosen,
        "question": page.question,
        "answer": page.answer,
        "bytes": len(text.encode()),
        "sync": "" if out else _sync(path.parent),
    }


def _page(refs: list[str], runs_dir: Path) -> tuple[Page, str, Path]:
    """Return a page, what it is about, and where it is written by itself, without an ending."""
    if not refs:
        return page_of_project(runs_dir, f"{NAME}.html"), "project", runs_dir / NAME
    if len(refs) > 1:
        return page_of_comparison(refs, runs_dir), "compare", runs_dir / f"compare-{clean('-'.join(refs))}"
    folder = find(runs_dir, refs[0])
    kind = str(folder.manifest["kind"])
    return page_of_run(folder), kind if kind in ("sweep", "cv", "ensemble") else "train", folder.path / NAME


def _sync(place: Path) -> str:
    """Return the command that sends the page in a run's folder to MLflow; "" where that has no such run."""
    if not is_run(place) or Sent.read(RunFolder(place)).mlflow_run_id is None:
        return ""
    return command_line("sync", [reference(RunFolder(place))])


def _form(form: Form | None, out: Path | None) -> str:
    ending = "" if out is None else out.suffix.removeprefix(".").lower()
    if out is not None and ending not in get_args(Form):
        raise ConfigError(f"--out: got {out.name}; names end with {', '.join(get_args(Form))}")
    if form is not None and ending not in ("", form):
        raise ConfigError(f"--out: got {out.name if out else ''} beside --format {form}; leave --format out")
    return form or ending or "html"
