"""The fast tier of the catalogue: a few attempts at each promise; `python -m tests.fault --full` makes all.

A failure prints the seed; `python -m tests.fault --row ID --seed S` makes the same attempts again.
"""

import secrets

import pytest

from tests.fault.catalogue import rows
from tests.fault.promise import Row, case_of
from tests.fault.runner import Server, Tally, attempts


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("fault"))
    yield server
    server.close()


@pytest.mark.parametrize("row", [row for row in rows() if row.fast], ids=lambda row: row.id)
def test_the_promise_holds(row, server):
    tally = Tally(secrets.randbelow(10**6))
    print(f"seed {tally.seed}")
    traces = [answer.get("trace", "") for answer in attempts(row, tally, row.fast, server)]
    if tally.impossible == tally.attempts:
        pytest.skip(tally.why)
    assert tally.num_failed == 0, "\n".join([f"seed {tally.seed}", *tally.faults, *traces])


def test_ids_are_unique_and_every_row_says_what_and_how():
    names = [row.id for row in rows()]
    assert len(names) == len(set(names))
    assert all(row.promise and row.fault and row.fast <= row.full for row in rows())


def test_a_full_run_meets_every_case_of_a_table_once():
    row = Row("x", "p", "f", lambda _: None, fast=1, full=50)
    assert sorted(case_of(row, 3, number) for number in range(50)) == list(range(50))
