"""Tables for other programs: no cell is a formula of a spreadsheet unless `--raw` asks for it."""

import csv
from pathlib import Path

from tests.fault.process import dlexp
from tests.fault.promise import Attempt, Row

FORMULAS = (
    *("=1+1", "=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "=cmd|' /C calc'!A0", "--1", "=", "-", "+-1"),
    *("\uff1d1+1", "\uff0b1", "\uff0d1-1", "\uff20SUM(A1)", '=1,"2"', "=1;2"),
)
BEGINNINGS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # OWASP (2023), CSV Injection
CLASSES, EACH = 3, 10


def formulas(attempt: Attempt) -> int:
    """Train on classes that are called by formulas, and predict rows of a file that is called by one."""
    labels = attempt.chance.sample(FORMULAS, CLASSES)
    with open("train.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["a", "b", "label"])
        table.writerows([[i, i % CLASSES, labels[i % CLASSES]] for i in range(60)])
    Path("=1+1.csv").write_text("a,b\n" + "".join(f"{i},{i % CLASSES}\n" for i in range(EACH)))
    words = ["data=csv", "data.path=train.csv", "data.target=label", "model.widths=[4]", "trainer.epochs=1"]
    done = dlexp("train", *words, "tracking=none", "runs_dir=runs")
    assert done.code == 0, f"{labels}: {done.err[-400:]}"
    cells, raw = predicted(), predicted("--raw")
    formula = [cell for cell in cells if cell.startswith(BEGINNINGS) and not is_number(cell)]
    assert not formula, f"{labels}: {formula}"
    assert [cell.removeprefix("'") for cell in cells] == raw, labels
    assert any(cell in labels for cell in raw), labels
    return EACH


def predicted(*more: str) -> list[str]:
    """Return the cells of the table that predict writes."""
    done = dlexp("predict", "last", "./=1+1.csv", "--out", "p.csv", "--runs-dir", "runs", *more)
    assert done.code == 0, done.err[-400:]
    with open("p.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == EACH + 1, rows
    return [cell for row in rows for cell in row]


def is_number(cell: str) -> bool:
    """Say whether a spreadsheet shows a cell as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


ROWS = [
    Row(
        "formulas",
        "A table of predictions has no cell that a spreadsheet would compute, and the very texts with `--raw`",
        f"classes called by {len(FORMULAS)} formulas, some in full-width letters, {CLASSES} at a time; a file called "
        "`=1+1.csv`",
        formulas,
        fast=1,
        full=20,
        each=EACH,
    )
]
