"""Tables of cross-validations: metrics of one setting, several settings compared, what searches chose, an audit."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dlexp.config.wording import setting_text
from dlexp.number import decimal, noun, significant

from ..output import first_metrics, metric_label
from ..text import escape
from .fit import show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlexp.job.cv.check_document import Audit
    from dlexp.job.cv.document import Choice, CVResult, CVSettingsResult, Suspects

MOST_SETTINGS = 20
FIRST_SUSPECTS = 5


def show_result(result: "CVResult", console: Console) -> None:
    """Print what a complete cv of one setting, or of a search, found."""
    has_seeds = "std_seeds" in result
    table = Table(title="validation", title_justify="left")
    spreads = ("std", "of folds", "of seeds") if has_seeds else ("std",)
    for header in ("metric", "mean", *spreads, "95 % interval", "corrected", "pooled"):
        table.add_column(header, justify="left" if header == "metric" else "right")
    if "guess" in result:
        table.add_column("by guess", justify="right")
    for name in [name for name in first_metrics(result) if f"val/{name}" in result["mean"]]:
        _add_metric(table, result, name, num_spreads=len(spreads))
    show_table(table, console, ("pooled", "95 % interval", "of seeds", "of folds", "std"))
    console.print("`corrected` allows for the training data that folds share; the interval without that is optimistic.")
    if result.get("pooled"):
        console.print("A single example has no such metric: those without a mean are of the pooled predictions.")
    if has_seeds:
        console.print(
            f"std is that of the folds' means over {noun(len(result['seeds']), 'seed')}; beside it the "
            "spreads due to folds "
            "and due to seeds apart."
        )
    if "suspects" in result:
        _show_suspects(result["suspects"], console)
    if "choices" in result:
        _show_choices(result["choices"], len(result.get("searches", [])), console)
        return
    console.print("Compare two settings with `dlexp compare CV CV`, which pairs them fold by fold.")


def _add_metric(table: Table, result: "CVResult", name: str, num_spreads: int) -> None:
    key, label = f"val/{name}", escape(metric_label(name, result["data"].get("positive")))
    guess, pooled = result.get("guess"), result["out_of_fold"].get(name)
    guessed = [significant(guess["value"]) if guess["metric"] == key else ""] if guess else []
    if key in result.get("pooled", []):
        table.add_row(label, *[""] * (num_spreads + 3), decimal(result["mean"][key]), *guessed)
        return
    spans = [_span(result[kind][key]) for kind in ("interval", "interval_corrected")]
    values = [result["mean"][key], result["std"][key]]
    if "std_folds" in result and "std_seeds" in result:
        values += [result["std_folds"][key], result["std_seeds"][key]]
    numbers = [decimal(value) for value in values]
    table.add_row(label, *numbers, *spans, decimal(pooled) if isinstance(pooled, float) else "", *guessed)


def show_settings(result: "CVSettingsResult", console: Console) -> None:
    """Print the settings, best first, each compared with the best."""
    metric = result["metric"]
    table = Table(title=f"{metric} over the same folds", title_justify="left")
    corrected = f"p (Holm, {noun(result['compared_pairs'], 'pair')})" if result["comparisons"] else "p (Holm)"
    for header in ("", "setting", "mean", "std", "corrected 95 % interval", "against the best", corrected):
        table.add_column(header, justify="left" if header in ("setting", "against the best") else "right")
    pairs = {pair["b"]: pair for pair in result["comparisons"]}
    for place, entry in enumerate(result["settings"][:MOST_SETTINGS], start=1):
        if entry["value"] is None:
            table.add_row(str(place), escape(setting_text(entry["overrides"])), entry["status"])
            continue
        pair = pairs.get(entry["run_id"])
        judged = [] if pair is None else [entry["against_best"], _p_value(pair["p_holm"])]
        numbers = [decimal(entry[kind][metric]) for kind in ("mean", "std")]
        table.add_row(
            str(place),
            escape(setting_text(entry["overrides"])),
            *numbers,
            _span(entry["interval_corrected"][metric]),
            *judged,
        )
    show_table(table, console, (corrected, "std", "corrected 95 % interval"), shortened="setting")
    if len(result["settings"]) > MOST_SETTINGS:
        console.print(f"... and {len(result['settings']) - MOST_SETTINGS:,} more; --json has all")
    if result["picked_among"] > 1:
        ties = sum(entry["against_best"] == "cannot tell" for entry in result["settings"])
        told = f"; {ties} of the others cannot be told from it" if ties else ""
        console.print(f"{result['note']}{told}.")


def _show_suspects(suspects: "Suspects", console: Console) -> None:
    """Print how many labels are probably wrong, and the first few."""
    if not suspects["num"]:
        return
    shown = suspects["examples"][:FIRST_SUSPECTS]
    table = Table(title=f"labels that are probably wrong: {suspects['num']:,} of {suspects['num_examples']:,}")
    table.title_justify = "left"
    for header in ("example", "label", "its probability", "likelier", "probability"):
        table.add_column(header, justify="right" if header.endswith("probability") else "left")
    for each in shown:
        numbers = [decimal(each["label_probability"]), decimal(each["likelier_probability"])]
        table.add_row(escape(each["id"]), escape(each["label"]), numbers[0], escape(each["likelier"]), numbers[1])
    show_table(table, console, ("probability", "its probability"), shortened="example")
    if suspects["num"] > len(shown):
        console.print("The others stand in result.json, under suspects; look at an example before you drop it.")
    if suspects.get("note"):
        console.print(f"[yellow]{escape(suspects.get('note', ''))}[/]")


def _show_choices(choices: "list[Choice]", num: int, console: Console) -> None:
    for choice in choices:
        console.print(
            f"chosen in {choice['count']} of {noun(num, 'fold')}: {escape(setting_text(choice['overrides']))}"
        )
    console.print("The scores are those of the whole procedure, search included: no fold held out what its search saw.")


def audit_table(audit: "Audit") -> Table:
    """Return the table of an audit."""
    table = Table(title="audit of the folds", title_justify="left")
    has_settings = any(fold["setting"] for fold in audit["folds"])
    setting = ["setting"] if has_settings else []
    for header in (*setting, "fold", "train", "held out", "in both", "groups in both", "duplicates"):
        table.add_column(header, justify="left" if header in ("setting", "fold") else "right")
    table.add_column("changed by other rows")
    for fold in audit["folds"]:
        counts = [fold[key] for key in ("num_train", "num_val", "in_both", "groups_in_both", "duplicates")]
        inner = "" if fold["inner"] is None else f" inner {fold['inner'] + 1}"
        place = [escape(setting_text(fold["setting"]))] if has_settings else []
        changed = ", ".join(fold["changed"]) or "nothing"
        table.add_row(*place, f"{fold['repeat'] + 1}.{fold['fold'] + 1}{inner}", *map(str, counts), changed)
    return table


def _span(interval: "Sequence[float | None]") -> str:
    low, high = interval
    return "all folds equal" if low is None or high is None else f"{decimal(low)} to {decimal(high)}"


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.0005 else f"{value:.3f}"
