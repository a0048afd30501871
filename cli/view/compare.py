"""What `dlexp compare` prints: the runs, and each pair with its verdict."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.number import decimal

from ..output import metric_label
from ..text import escape
from .fit import show_table

if TYPE_CHECKING:
    from dlexp.job.compare.document import Comparison, Pair

MOST_PAIRS = 15  # of six runs; of more only those with the best are shown


def show(comparison: "Comparison", console: Console) -> None:
    """Print the runs, and each pair with its verdict; of many pairs those with the best run."""
    title = escape(metric_label(comparison["metric"], comparison.get("positive")))
    runs = Table(title=title, title_justify="left", box=None, pad_edge=False)
    counted = comparison["pairs"][0]["over"]
    value = "value" if counted == "examples" else f"mean ± std over {counted}"
    for header in ("", "run", value):
        runs.add_column(header, justify="right" if header == value else "left")
    letters = {record["run_id"]: _letter(i) for i, record in enumerate(comparison["runs"])}
    for record in comparison["runs"]:
        spread = "" if record["std"] is None else f" ± {decimal(record['std'])}"
        runs.add_row(letters[record["run_id"]], escape(record["label"]), f"{decimal(record['value'])}{spread}")
    show_table(runs, console, shortened="run")
    console.print()
    many = len(comparison["pairs"]) > 1
    shown = _pairs_with_the_best(comparison) if len(comparison["pairs"]) > MOST_PAIRS else comparison["pairs"]
    pairs = Table(box=None, pad_edge=False)
    for header in ("pair", "difference", "95 % interval", "p", *(["p (Holm)"] if many else []), "effect", "verdict"):
        pairs.add_column(header, justify="left" if header in ("pair", "verdict") else "right")
    for pair in shown:
        name_a, name_b = letters[pair["a"]], letters[pair["b"]]
        holm = [f"{pair['p_holm']:.2g}"] if many else []
        low, high = pair["interval"]
        span = "unknown" if low != low else f"{decimal(low, sign='+')} to {decimal(high, sign='+')}"
        row = [f"{name_a} - {name_b}", decimal(pair["difference"], sign="+"), span]
        verdict = _verdict(pair, name_a, name_b)
        pairs.add_row(*row, f"{pair['p_value']:.2g}", *holm, _effect(pair), verdict)
    show_table(pairs, console, ("effect", "p", "p (Holm)", "95 % interval"))
    if len(shown) < len(comparison["pairs"]):
        left = len(comparison["pairs"]) - len(shown)
        console.print(f"the pairs with the best; Holm counts {left} more, which --json has")
    for pair in shown:
        where = f"{letters[pair['a']]} - {letters[pair['b']]}" if many else ""
        console.print(f"{where + ': ' if where else ''}{_note(pair)}")
    for note in comparison["notes"]:
        console.print(f"[yellow]{escape(note)}[/]")


def _pairs_with_the_best(comparison: "Comparison") -> "list[Pair]":
    from dlexp.direction import is_better_high

    name = comparison["metric"].removeprefix("val/")
    pick = max if is_better_high(name) else min
    best = pick(comparison["runs"], key=lambda record: record["value"])["run_id"]
    return [pair for pair in comparison["pairs"] if best in (pair["a"], pair["b"])]


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"#{number + 1}"


def _verdict(pair: "Pair", name_a: str, name_b: str) -> str:
    if pair["verdict"] == "cannot tell":
        return "[yellow]cannot tell[/]"
    return f"[green]{name_a if pair['verdict'] == 'a' else name_b} is better[/]"


def _effect(pair: "Pair") -> str:
    return "" if pair["effect"] is None else f"{pair['effect_name']} {pair['effect']:+.2f}"


def _note(pair: "Pair") -> str:
    test = f"{pair['test']} on {pair['num']:,} {pair['over']}"
    if "only_a" in pair:
        test += f"; right alone: {pair['only_a']} and {pair.get('only_b')}"
    if "smallest_p" in pair:
        few = ", all with one difference" if pair["over"] == "folds" else ""
        test += f"{few}; the smallest p that {pair['num']} allow is {pair['smallest_p']:.2g}"
    if pair.get("same_setting"):
        return f"{test}; one setting, so what these two models differ by is the noise of seeds"
    if pair["verdict"] != "cannot tell" or pair["difference"] == 0:
        return test
    if pair["needed"] is None:
        return f"{test}; were this the true difference, no number of {pair['over']} would tell: more data are needed"
    if pair["needed"] == 0:
        return f"{test}; as many {pair['over']} would tell a true difference of this size in four of five cases"
    more = f"about {pair['needed']:,} more {pair['over']}{_setting(pair, pair['needed'])}"
    return f"{test}; were this the true difference, {more} would tell it with 80 % power"


def _setting(pair: "Pair", needed: int) -> str:
    """Return the override that asks for as many folds or seeds as are needed."""
    total = pair["num"] + needed
    if pair["over"] == "seeds":
        return f" (seed='range(0,{total})')"
    return f" (cv.repeats={-(-total // pair['k'])})" if "k" in pair else ""
