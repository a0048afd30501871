"""`dlexp compare`: paired statistics of two or more runs."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .argument import Debug, Json, Quiet, RunsDir
from .output import people, show_json


def compare(
    run: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Ids, unique prefixes, folders or last.")],
    metric: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="For example f1_macro; none: accuracy or rmse.", show_default=False),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the intervals there.", show_default=False)
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Say which of two or more runs, sweeps or cross-validations on the same split is better, or that one cannot tell.

    Example: `dlexp compare 3f8a 3f9k --metric f1_macro`
    """
    from dlexp.job.compare import compare as compare_job

    console = people(json, is_quiet=quiet)
    found = compare_job(run, runs_dir, metric)
    _show(found, console)
    if figure is not None:
        from dlexp.report.compare import draw

        console.print(f"figure  {draw(found, figure)}")
    if json:
        show_json(found)


def _show(found: dict[str, Any], console: Console) -> None:
    runs = Table(title=f"{found['metric']}", title_justify="left", box=None, pad_edge=False)
    for header in ("", "run", "value"):
        runs.add_column(header, justify="right" if header == "value" else "left")
    letters = {record["run_id"]: _letter(i) for i, record in enumerate(found["runs"])}
    for record in found["runs"]:
        runs.add_row(letters[record["run_id"]], escape(record["label"]), f"{record['value']:.4f}")
    console.print(runs)
    console.print()
    many = len(found["pairs"]) > 1
    pairs = Table(box=None, pad_edge=False)
    for header in ("pair", "difference", "95 % interval", "p", *(["p (Holm)"] if many else []), "effect", "verdict"):
        pairs.add_column(header, justify="left" if header in ("pair", "verdict") else "right")
    for pair in found["pairs"]:
        name_a, name_b = letters[pair["a"]], letters[pair["b"]]
        holm = [f"{pair['p_holm']:.2g}"] if many else []
        low, high = pair["interval"]
        span = "unknown" if low != low else f"{low:+.4f} to {high:+.4f}"
        row = [f"{name_a} - {name_b}", f"{pair['difference']:+.4f}", span]
        verdict = _verdict(pair, name_a, name_b)
        pairs.add_row(*row, f"{pair['p_value']:.2g}", *holm, _effect(pair), verdict)
    console.print(pairs)
    for pair in found["pairs"]:
        where = f"{letters[pair['a']]} - {letters[pair['b']]}" if many else ""
        console.print(f"{where + ': ' if where else ''}{_note(pair)}")


def _letter(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"#{number + 1}"


def _verdict(pair: dict[str, Any], name_a: str, name_b: str) -> str:
    if pair["verdict"] == "cannot tell":
        return "[yellow]cannot tell[/]"
    return f"[green]{name_a if pair['verdict'] == 'a' else name_b} is better[/]"


def _effect(pair: dict[str, Any]) -> str:
    return "" if pair["effect"] is None else f"{pair['effect_name']} {pair['effect']:+.2f}"


def _note(pair: dict[str, Any]) -> str:
    test = f"{pair['test']} on {pair['num']:,} {pair['unit']}"
    if "only_a" in pair:
        test += f"; right alone: {pair['only_a']} and {pair['only_b']}"
    if "smallest_p" in pair:
        test += f", all with one difference; the smallest p that {pair['num']} allow is {pair['smallest_p']:.2g}"
    if pair["verdict"] != "cannot tell" or pair["difference"] == 0:
        return test
    if pair["needed"] is None:
        return f"{test}; were this the true difference, no number of repeats would tell: more data are needed"
    more = f"about {pair['needed']:,} more {pair['unit']}"
    return f"{test}; were this the true difference, {more} would tell it with 80 % power"
