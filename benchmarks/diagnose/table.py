"""The record of planted faults and healthy trainings as a Markdown table."""

from typing import Any

from benchmarks.diagnose.case import ARCHITECTURES, FAULTS
from dlexp.number import noun
from dlexp.statistic.proportion import wilson

NAMES = {"mlp": "two layers", "deep": "eight layers", "cnn": "convolutional"}


def tables(rows: list[dict[str, Any]]) -> str:
    """Return what was wanted beside what was seen, then a row for each fault."""
    total, cells = rows[0], {(row["fault"], row["architecture"]): row for row in rows if "fault" in row}
    alarms = [_alarm(row) for row in rows if "alarm" in row]
    high = wilson(total["false_alarms"] / total["healthy"], total["healthy"])[1]
    harmful = noun(total["harmful_cells"], "pair")
    lines = [
        "| | wanted | seen |",
        "|---|---|---|",
        f"| false alarms on healthy trainings | at most 1.5 % | {total['false_alarms']} of {total['healthy']}: "
        f"{100 * total['false_alarm_share']:.1f} %, 95 % interval to {100 * high:.1f} % |",
        f"| recall, of {harmful} of fault and architecture that do harm (paired t-test over seeds) | at least 0.9 | "
        f"{total['recall']:.3f} |",
        f"| recall of all {noun(len(cells), 'pair')}, {noun(total['runs'], 'training')} | | "
        f"{total['recall_of_all']:.3f} |",
        f"| right cause first, of those told of | at least 0.8 | {total['right_cause_first']:.3f} |",
        f"| override better, of those told of, by a paired t-test | at least 0.95 | {total['cure_rate']:.3f} |",
        "",
        f"| fault | named first | {' | '.join(NAMES[each] for each in ARCHITECTURES)} |",
        f"|---|---|{'---|' * len(ARCHITECTURES)}",
    ]
    for fault in FAULTS:
        of_fault = [cells[fault, each] for each in ARCHITECTURES if (fault, each) in cells]
        named = sorted({name for cell in of_fault for name in cell["named"] if name != "None"})
        shown = " | ".join(_cell(cells.get((fault, each))) for each in ARCHITECTURES)
        lines.append(f"| {fault} | {', '.join(f'`{name}`' for name in named)} | {shown} |")
    lines += [
        "",
        "Cells: validation accuracy after ten epochs with the fault -> with the printed override, means over seeds; "
        "* the fault does no harm that the test shows; ! the override is not better by the test; "
        "in brackets how often a finding was made, where not always.",
        "",
        *(["False alarms:", "", *alarms] if alarms else ["No false alarm."]),
    ]
    return "\n".join(lines)


def _alarm(row: dict[str, Any]) -> str:
    text = f"- `{' '.join(row['overrides'])}`: {', '.join(f'`{name}`' for name in row['alarm'])}"
    if "override" not in row:
        return text
    verdict = "better by a paired t-test" if row["is_better"] else "not better by a paired t-test"
    losses = f"validation loss {row['loss']:.3f} -> {row['cured_loss']:.3f}"
    return (
        f"{text}; it diverges in {row['diverged']} of 5 other seeds, and over them `{row['override']}` makes {losses}, "
        f"{verdict}"
    )


def _cell(cell: dict[str, Any] | None) -> str:
    if cell is None:
        return "not run"
    cured = "" if cell["cured"] is None else f" -> {cell['cured']:.2f}"
    marks = ("" if cell["is_harmful"] else "*") + ("" if cell["is_cured"] or cell["cured"] is None else "!")
    told = "" if cell["recall"] == 1 else f" ({cell['recall'] * cell['runs']:.0f} of {cell['runs']})"
    return f"{cell['accuracy']:.2f}{cured}{marks}{told}"
