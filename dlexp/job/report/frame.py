"""What every page ends with: how to do it again, what differs from the defaults, what it was made with."""

from collections.abc import Sequence
from typing import Any

from dlexp.config.wording import command_line, show
from dlexp.number import duration, noun
from dlexp.report.model import Card, Commands, Row, Section, Table, Text
from dlexp.run.document import RunRecord
from dlexp.run.listing.page import RunPage

Command = tuple[str, str]


def about_line(run: RunRecord) -> str:
    """Return kind, data, examples and model of a run."""
    fields: dict[str, Any] = {**run}
    data, choices = fields.get("data") or {}, run["params"]
    kinds = {"train": "training run", "cv": "cross-validation"}
    counts = {"num_train": "training", "num_val": "validation", "num_examples": "dealt", "num_test": "sealed"}
    sizes = [(data[key], word) for key, word in counts.items() if data.get(key)]
    examples = [f"{num:,} {word}" for num, word in sizes[:-1]] + [
        noun(num, f"{word} example") for num, word in sizes[-1:]
    ]
    model = choices.get("model")
    size = noun(fields["num_params"], "parameter") if "num_params" in fields else ""
    words = [
        kinds.get(str(run["kind"]), str(run["kind"])),
        run["run_id"],
        f"data {data['name']} ({', '.join(examples)})"
        if examples
        else f"data {data.get('name') or choices.get('data')}",
        f"model {model}{f' ({size})' if size else ''}" if model else "",
        f"status {run['status']}",
    ]
    return " · ".join(word for word in words if word)


def time_card(run: RunRecord) -> Card:
    """Return what it took."""
    seconds = run.get("seconds")
    return Card("time", "unknown" if seconds is None else duration(seconds), f"of training on {run['device']}")


def closing(document: RunPage, again: Sequence[Command]) -> list[Section]:
    """Return the sections that every page of a run ends with.

    Args:
        document: What is known of the run.
        again: Commands beside the one that made it.
    """
    command = document["command"]
    given = ["FIRST", "SECOND"] if document["run"].get("task") == "pairs" else ["INPUT"]
    exported = [
        (
            command_line("predict", [export["path"], *given]),
            f"by the exported file; from the run's answers it differs by {export['difference']:.2g}",
        )
        for export in document["exports"]
        if export["is_there"]
    ]
    lines = [*([(command, "what was run")] if command else []), *again, *exported]
    return [
        Section("Do it again", [Commands(lines)]),
        Section("Configuration that differs from the defaults", _configuration(document), is_folded=True),
        Section("Environment and test openings", _environment(document), is_folded=True),
    ]


def _configuration(document: RunPage) -> list[Table | Text]:
    typed = document["overrides"]
    if not typed:
        return [Text("Nothing differs: every setting is the default.")]
    pairs = [text.lstrip("+~").partition("=") for text in typed]
    rows = [Row((key, value)) for key, _, value in pairs]
    choices = {
        key: value for key, value in document["run"]["params"].items() if key not in {row.cells[0] for row in rows}
    }
    rest = [Row((key, show(value))) for key, value in sorted(choices.items())]
    return [
        Table("what was set", ("key", "value"), rows),
        *([Table("what follows from it, and the options of each group", ("key", "value"), rest)] if rest else []),
    ]


def _environment(document: RunPage) -> list[Table]:
    run, made = document["run"], document["environment"]
    packages: dict[str, str] = made.get("packages") or {}
    git = made.get("git") or {}
    facts = [
        ("run", run["run_id"]),
        ("status", run["status"]),
        ("seed", str(run["seed"])),
        ("device", run["device"] or ""),
        ("started", run["start"] or ""),
        ("ended", run["end"] or ""),
        ("gone on with", noun(document["resumes"], "time") if document["resumes"] else ""),
        ("test part opened", noun(document["test_openings"], "time")),
        ("python", made.get("python", "")),
        ("platform", made.get("platform", "")),
        ("commit", f"{git['commit'][:10]}{' and changes' if git.get('dirty') else ''}" if git.get("commit") else ""),
        *packages.items(),
    ]
    return [Table("what it was made with", ("what", "value"), [Row(fact) for fact in facts if fact[1]])]
