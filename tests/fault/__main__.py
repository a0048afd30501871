"""The catalogue as a command: attacks every promise, writes `docs/reliability.md`, or shows that the rows can fail.

usage: python -m tests.fault [--full] [--row ID] [--seed S] [--n N] [--skip N] [--until-red] [--anew]
       python -m tests.fault --mutate [NAME] | --page | --list
"""

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.fault import page, record
from tests.fault.catalogue import row_of, rows
from tests.fault.mutate import mutate
from tests.fault.promise import Row
from tests.fault.runner import Server, Tally, attempts


def attack(row: Row, num: int, tally: Tally, server: Server, *, keep: bool, until_red: bool) -> Tally:
    """Make a row's attempts, and record each where the run is for the page."""
    print(f"{row.id}: {num} attempts, seed {tally.seed}", flush=True)
    for answer in attempts(row, tally, num, server):
        if fault := answer.get("fault"):
            print(f"  attempt {tally.attempts - 1}: {fault}\n{answer.get('trace', '')}", flush=True)
        if keep:
            record.store(row, tally)
        if until_red and tally.num_failed:
            break
    impossible = f", {tally.impossible} not possible here ({tally.why})" if tally.impossible else ""
    print(f"  {tally.held} of {tally.made} held{impossible}, {tally.seconds:.1f} s", flush=True)
    return tally


def arguments() -> argparse.Namespace:
    """Return what was typed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fault", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--full", action="store_true", help="attempts of a full run, recorded, and the page written")
    parser.add_argument("--row", action="append", default=[], metavar="ID", help="this row only; may be given again")
    parser.add_argument("--seed", type=int, help="of all draws; a new one by default, and said")
    parser.add_argument("--n", type=int, help="attempts a row instead of its number")
    parser.add_argument("--skip", type=int, default=0, help="leave out the first attempts")
    parser.add_argument("--until-red", action="store_true", help="end a row with its first failure")
    parser.add_argument("--anew", action="store_true", help="make recorded attempts again")
    parser.add_argument(
        "--mutate", nargs="*", metavar="NAME", help="break the program in a copy: matching rows must fail"
    )
    parser.add_argument("--page", action="store_true", help="write the page from the record")
    parser.add_argument("--list", action="store_true", help="list the rows")
    return parser.parse_args()


def run(typed: argparse.Namespace) -> int:
    """Attack the rows and return the exit code: 1 where one failed."""
    seed = secrets.randbelow(10**6) if typed.seed is None else typed.seed
    failed = 0
    with tempfile.TemporaryDirectory(prefix="fault-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        for row in [row_of(name) for name in typed.row] or rows():
            num = typed.n or (row.full if typed.full else row.fast)
            before = record.read(row) if typed.full and not typed.anew else None
            tally = attack(
                row,
                num,
                before or Tally(seed, attempts=typed.skip, passed=typed.skip),
                server,
                keep=typed.full,
                until_red=typed.until_red,
            )
            failed += tally.num_failed > 0
        server.close()
    if typed.full:
        page.write()
    return 1 if failed else 0


def main() -> int:
    """Do what was typed."""
    typed = arguments()
    if typed.list:
        print("\n".join(f"{row.id}: {row.promise} ({row.fast}, {row.full})" for row in rows()))
        return 0
    if typed.page:
        page.write()
        return 0
    if typed.mutate is not None:
        return mutate(typed.mutate)
    return run(typed)


if __name__ == "__main__":
    sys.exit(main())
