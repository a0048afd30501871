"""Tables for other programs: no cell is a formula, or obeyed by a terminal, unless `--raw` asks for it."""

import csv
from pathlib import Path

from tests.fault.process import dlexp
from tests.fault.promise import Attempt, Row

FORMULAS = (
    *("=1+1", "=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "=cmd|' /C calc'!A0", "--1", "=", "-", "+-1"),
    *("\uff1d1+1", "\uff0b1", "\uff0d1-1", "\uff20SUM(A1)", '=1,"2"', "=1;2"),
)
OBEYED = ("\x1b[31mred", "\x1b]0;title\x07", "\x9b2J", "a\x08b", "\u202ecba", "=\x1b[2J")
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
    """Train on classes called by formulas and escape sequences, and predict rows of a file that is called by one."""
    labels = attempt.chance.sample(FORMULAS + OBEYED, CLASSES)
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
    assert all(character.isprintable() or character in "\n\t" for cell in cells for character in cell), (
        f"{labels}: {cells}"
    )
    assert [cell.removeprefix("'") for cell in cells] == [written_out(cell) for cell in raw], labels
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


def written_out(text: str) -> str:
    """Return a text whose control characters are those that Python writes."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else repr(letter)[1:-1] for letter in text)


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
        "A table of predictions has no cell that a spreadsheet would compute or a terminal obey; `--raw` has the texts",
        f"classes called by {len(FORMULAS)} formulas, some in full-width letters, and {len(OBEYED)} escape sequences, "
        f"{CLASSES} at a time; a file called `=1+1.csv`",
        formulas,
        fast=1,
        full=20,
        each=EACH,
    )
]
