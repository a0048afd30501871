"""Hold dlexp's numbers against code written from the papers: ``python -m benchmarks.audit [--only SECTION] [--quick]``.

Prints a row for each quantity: what it is, the largest difference from its reference, the bound and whether it holds.
The references are the formulas of the papers in NumPy and torch's autograd, SciPy and scikit-learn. Of a training the
loop takes the first weights and the batches' rows from dlexp and computes the rest; that draws are what they should be
is the section `draw`. The whole audit writes ``benchmarks/results/audit.json``. Exit 1 where a row does not hold.
"""

import argparse
import sys
from collections.abc import Callable, Iterator

from benchmarks.audit import architecture, division, draw, halving, inference, metric, neighbor, task, training
from benchmarks.audit.row import Row
from benchmarks.measure import write

SECTIONS: dict[str, Callable[..., Iterator[Row]]] = {
    module.SECTION: module.rows
    for module in (training, task, metric, neighbor, division, halving, inference, architecture, draw)
}
NOTE = (
    "largest difference from a reference written from the papers, or by SciPy, scikit-learn or torch; of numbers "
    "|a - b| / (1 + |b|), else what the quantity says; a row holds where it is at most the bound"
)


def line(row: Row) -> str:
    """Return a row of the table."""
    verdict = "ok" if row.ok else "NOT OK"
    return f"{row.section:<13}{row.name:<39}{row.difference:>9.1e}{row.bound:>9.1e}  {verdict:<7}{row.quantity}"


def main() -> int:
    """Audit, print the table, store a whole audit; 1 where a row does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(SECTIONS), action="append", help="some of the sections")
    parser.add_argument("--quick", action="store_true", help="some setups and fewer repetitions")
    arguments = parser.parse_args()
    print(f"{'section':<13}{'row':<39}{'largest':>9}{'bound':>9}  {'':<7}quantity")
    rows: list[Row] = []
    for section in arguments.only or SECTIONS:
        for row in SECTIONS[section](is_quick=arguments.quick):
            rows.append(row)
            print(line(row), flush=True)
    failed = [row for row in rows if not row.ok]
    where = ""
    if not (arguments.only or arguments.quick):
        where = f" in {write('audit', [row.record() for row in rows], NOTE)}"
    print(f"{len(rows)} rows{where}; {len(failed)} do not hold" + "".join(f"\n{line(row)}" for row in failed))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
