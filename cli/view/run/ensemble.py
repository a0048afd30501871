"""What `dlexp ensemble` prints: the members, and what the choice is worth."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dlexp.number import between, decimal, noun

from ...output import show_next, show_notes
from ...text import short_path

if TYPE_CHECKING:
    from dlexp.job.ensemble.document import EnsembleResult, Score, Standing

SHOWN = 15  # members
OTHERS = ("best model", "mean of all")


def show(result: "EnsembleResult", notes: list[str], console: Console) -> None:
    """Print the ensemble: its members with their weights, the scores, the notes and what comes next."""
    chosen = len(result["members"])
    console.print(
        f"ensemble {result['run_id']}: {chosen} of {noun(result['num_models'], 'model')}, chosen by "
        f"{result['chosen_by']} on {result['num_examples']:,} held-out examples"
    )
    console.print(_members(result))
    if chosen > SHOWN:
        console.print(f"... and {chosen - SHOWN} more, which --json has")
    console.print()
    console.print(_scores(result))
    for score in result["scores"]:
        for other in OTHERS:
            console.print(Text(verdict_of(score, other)))
    show_notes(notes, console)
    console.print(f"run folder  {short_path(result['run_dir'])}", soft_wrap=True)
    show_next(console, (f"dlexp predict {result['run_id']} INPUT...", "what the ensemble says of new examples"))


def verdict_of(score: "Score", other: str) -> str:
    """Return whether the ensemble is better than the best model, or than the mean of all, by a metric."""
    pair = next(pair for pair in score["pairs"] if (pair["a"], pair["b"]) == ("ensemble", other))
    size = f"{decimal(pair['difference'], sign='+')} ({between(pair['interval'], '+')})"
    told = {"a": "the ensemble is better", "b": f"{other} is better"}.get(pair["verdict"], "cannot tell")
    counted = f"{pair['test']} on {pair['num']:,} {pair['over']}, p {pair['p_holm']:.2g} after Holm"
    return f"{score['metric']}: ensemble - {other} {size}, {counted}: {told}"


def _members(result: "EnsembleResult") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("weight", justify="right")
    table.add_column("chosen", justify="right")
    table.add_column(result["chosen_by"], justify="right")
    table.add_column("model", overflow="fold")
    for member in result["members"][:SHOWN]:
        chosen = f"{round(member['chosen'] * result['choices'])} of {result['choices']}"
        table.add_row(decimal(member["weight"]), chosen, decimal(member["value"]), Text(member["label"]))
    return table


def _scores(result: "EnsembleResult") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for score in result["scores"]:
        table.add_column(score["metric"], justify="right")
    scores = result["scores"]
    table.add_row("ensemble, on what chose it (flattered)", *(decimal(score["flattered"]) for score in scores))
    table.add_row("ensemble, on examples left out", *(_standing(score["nested"]) for score in scores), style="bold")
    table.add_row("best model, chosen and scored so too", *(_standing(score["best"]) for score in scores))
    table.add_row("mean of all models", *(_standing(score["equal"]) for score in scores))
    table.add_row("a model on average", *(decimal(score["mean_member"]) for score in scores))
    return table


def _standing(standing: "Standing") -> str:
    return f"{decimal(standing['value'])} ({between(standing['interval'])})"
