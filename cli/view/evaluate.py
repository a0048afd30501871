"""What `dlexp eval` prints: the metrics of a part, and how often the sealed test part was opened."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.number import decimal, noun

from ..output import metric_label
from ..text import escape

if TYPE_CHECKING:
    from dlexp.job.inference.document import Evaluation


def show(evaluation: "Evaluation", console: Console, *, is_ensemble: bool = False) -> None:
    """Print the metrics, and where the predictions are."""
    table = Table(title=f"{noun(evaluation['num_examples'], 'example')} of {evaluation['split']}", title_justify="left")
    judged = evaluation["metric"].partition("/")[2]
    table.add_column("metric")
    table.add_column("value", justify="right")
    for name in sorted(evaluation["metrics"], key=lambda name: name.partition("/")[2] != judged):
        value = evaluation["metrics"][name]
        label = escape(metric_label(name, evaluation.get("positive")))
        table.add_row(label, decimal(value))
    console.print(table)
    if evaluation["split"] == "test":
        times = "once" if evaluation["openings"] == 1 else f"{evaluation['openings']} times"
        console.print(f"the test part of this run has been opened {times}")
    if "models" in evaluation and evaluation["split"] == "test":
        console.print(f"the mean of {noun(evaluation['models'], 'model')}; --json has the score of each alone")
    elif "models" in evaluation:
        by = "what was chosen without it" if is_ensemble else "the models that it was held out from"
        console.print(f"every example is scored by {by}")
    for warning in evaluation["warnings"]:
        console.print(f"[yellow]{escape(warning)}[/]")
    if evaluation["predictions"] is not None:
        console.print(f"predictions  {escape(evaluation['predictions'])}")
