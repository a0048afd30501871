"""What `dlexp show` prints: a page about one run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dlexp.job.sweep.document import ON_TIMING
from dlexp.number import noun, significant

from ...output import first_metrics, metric_label
from ...text import short_path, size_text
from .runs import COLORS, done, moment, text_of

if TYPE_CHECKING:
    from dlexp.run.document import RunRecord
    from dlexp.run.listing.page import RunPage

SPLITS = ("train", "val", "test")
LABEL = 12  # characters of the labels on the left


def show(document: "RunPage", console: Console) -> None:
    """Print the page: identity and notes, what was trained, how well, and what is stored."""
    run = document["run"]
    status = (run["status"], COLORS.get(run["status"], "yellow"))
    title = Text.assemble((f"{run['run_id']}  ", "bold"), f"{run['kind'] or 'unknown'}  ", status)
    console.print(title + Text(f"  {done(run)}"))
    for fault in document["faults"]:
        console.print(Text(fault, style="red"), soft_wrap=True)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=LABEL - 2, no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in _lines(document):
        if text:
            table.add_row(Text(label), Text(text))
    console.print(table)
    if run["metrics"]:
        console.print(_metrics(run))
    if document["inner"]:
        console.print(_inner(document))
    if document["log"]:
        console.print(Text("log", style="bold"))
        for line in document["log"]:
            console.print(Text(f"  {line}"), no_wrap=True, overflow="ellipsis")


def _lines(document: "RunPage") -> list[tuple[str, str]]:
    from dlexp.console.board import sparkline

    run, curve = document["run"], [value for value in document["curve"] if value is not None]
    shown = f"{sparkline(curve)}  {significant(curve[0])} to {significant(curve[-1])}" if len(curve) > 1 else ""
    opened = document["test_openings"]
    return [
        ("note", run["note"]),
        ("tags", " ".join(run["tags"])),
        ("inside", document["holder"] or ""),
        ("experiment", run["experiment"] or ""),
        ("folder", short_path(run["run_dir"])),
        ("command", document["command"] or ""),
        ("data", _data(run)),
        ("parameters", f"{run['num_params']:,}" if "num_params" in run else ""),
        ("device", run["device"] or ""),
        ("seed", _seeds(run)),
        ("started", _times(document)),
        ("judged by", _judged(run)),
        ("tried", ON_TIMING if run.get("depends_on_timing") else ""),
        ("curve", shown),
        ("test part", f"opened {noun(opened, 'time')}" if opened else "sealed"),
        ("checkpoints", ", ".join(_checkpoint(saved) for saved in document["checkpoints"])),
        ("figures", ", ".join(Path(path).name for path in document["figures"])),
        ("exported", "\n".join(_exported(export) for export in document["exports"])),
        ("size", size_text(document["bytes"])),
        ("made with", _environment(document["environment"])),
    ]


def _seeds(run: "RunRecord") -> str:
    """Return the seeds of a sweep's trials or of a cv's folds where there are some, else the run's own."""
    fields: dict[str, Any] = {**run}
    of_trials = {trial["overrides"]["seed"] for trial in fields.get("trials") or [] if "seed" in trial["overrides"]}
    seeds = sorted(of_trials) or fields.get("seeds") or [run["seed"]]
    return ", ".join(str(seed) for seed in seeds if seed is not None)


def _judged(run: "RunRecord") -> str:
    return run["metric"] or "" if run["value"] is None else f"{run['metric']} {significant(run['value'])}"


def _data(run: "RunRecord") -> str:
    data: Any = run.get("data")
    if not isinstance(data, dict) or "name" not in data:
        return ""
    names = {"num_train": "train", "num_val": "val", "num_test": "sealed for test", "num_examples": "examples"}
    counts = [f"{data[key]:,} {name}" for key, name in names.items() if data.get(key)]
    told = f": {', '.join(counts)}" if counts else ""
    return f"{data['name']} ({run['task']}){told}; fingerprint {str(data.get('fingerprint'))[:12]}"


def _times(document: "RunPage") -> str:
    run = document["run"]
    took, end = text_of(run, "took"), moment(run["end"])
    resumed = f", resumed {noun(document['resumes'], 'time')}" if document["resumes"] else ""
    return f"{moment(run['start'])}{f', ended {end}' if end else ''}{f', {took} of training' if took else ''}{resumed}"


def _checkpoint(saved: Any) -> str:
    epoch = "" if saved["epoch"] is None else f" of epoch {saved['epoch']}"
    return f"{saved['name']}{epoch} ({size_text(saved['bytes'])})"


def _exported(export: Any) -> str:
    state = "" if export["is_there"] else ", gone since"
    return f"{short_path(export['path'])} ({size_text(export['bytes'])}, difference {export['difference']:.2g}{state})"


def _environment(environment: dict[str, Any]) -> str:
    packages = environment.get("packages") or {}
    names = [f"{name} {packages[name]}" for name in ("dlexp", "torch") if packages.get(name)]
    python = [f"Python {environment['python']}"] if "python" in environment else []
    git = environment.get("git") or {}
    commit = (
        [f"commit {str(git['commit'])[:10]}{' and changes' if git.get('dirty') else ''}"] if git.get("commit") else []
    )
    host = [f"on {environment['host']}"] if "host" in environment else []
    return ", ".join([*names, *python, *commit, *host])


def _metrics(run: "RunRecord") -> Table:
    """Return the metrics, a row each, a column for each part of the data."""
    metrics: Any = run["metrics"]
    splits = [split for split in SPLITS if any(name.startswith(f"{split}/") for name in metrics)]
    best = run.get("best_epoch")
    title = f"best epoch: {best}" if best else "last epoch" if run["kind"] == "train" else "metrics"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("metric")
    for split in splits:
        table.add_column(split, justify="right")
    names = dict.fromkeys([*first_metrics(run), *(name.partition("/")[2] for name in metrics)])
    facts: Any = run.get("data") or run
    positive = facts.get("positive")
    for name in names:
        cells = [metrics.get(f"{split}/{name}") for split in splits]
        if any(cell is not None for cell in cells):
            label = Text(metric_label(name, positive))
            table.add_row(label, *("" if cell is None else significant(cell) for cell in cells))
    return table


def _inner(document: "RunPage") -> Table:
    number, shown = document["num_inner"], len(document["inner"])
    is_ensemble = document["run"]["kind"] == "ensemble"
    title = "each" if shown == number else f"the {'heaviest' if is_ensemble else 'best'} {shown} of {number}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    judged: Any = document["run"].get("chosen_by") if is_ensemble else document["run"]["metric"]
    table.add_column(judged or "value", justify="right")
    table.add_column("status" if not is_ensemble else "weight")
    table.add_column("what", overflow="fold")
    for record in document["inner"]:
        value = "" if record["value"] is None else significant(record["value"])
        table.add_row(value, Text(record["status"].removeprefix("weight ")), Text(record["name"]))
    return table
