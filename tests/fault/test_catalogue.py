"""The fast tier of the catalogue: a few attempts at each promise; `python -m tests.fault --full` makes all.

A failure prints the seed; `python -m tests.fault --row ID --seed S` makes the same attempts again.
"""

import secrets
import time

import pytest

from tests.fault.catalogue import rows
from tests.fault.mutate import MUTATIONS
from tests.fault.promise import Attempt, Row, TooLate, case_of
from tests.fault.runner import ROOT, Server, Tally, attempts
from tests.fault.server import attempt


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


def late_until(haste: float) -> Row:
    def check(attempt: Attempt) -> None:
        if attempt.haste > haste:
            raise TooLate("it had ended")

    return Row("x", "p", "f", check, fast=1, full=1)


def test_an_attempt_whose_fault_came_too_late_is_made_again_earlier(tmp_path):
    answer = attempt(late_until(0.25), 1, 0, tmp_path / "shared")
    assert answer.keys() == {"seconds"}


def test_an_attempt_that_always_comes_too_late_does_not_count_as_held(tmp_path):
    answer, tally = attempt(late_until(0), 1, 0, tmp_path / "shared"), Tally(1)
    assert answer["impossible"] == "too late 6 times: it had ended"
    tally.add(answer, 1)
    assert (tally.impossible, tally.made, tally.held) == (1, 0, 0)


def test_an_attempt_without_an_end_is_a_fault(tmp_path):
    row = Row("x", "p", "f", lambda _: time.sleep(1000), fast=1, full=1, limit=0.6)
    assert attempt(row, 1, 0, tmp_path / "shared")["fault"] == "no end within 1 s of computing and waiting"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_safeguard_that_a_mutation_takes_out_is_there(mutation):
    changes = [(mutation.file, mutation.before), *([mutation.second[:2]] if mutation.second else [])]
    for file, before in changes:
        assert (ROOT / file).read_text().count(before) == 1, f"{file} has changed; mend the mutation"
