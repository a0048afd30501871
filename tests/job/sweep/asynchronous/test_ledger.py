"""The record of a search without rounds brings another to the same point, whatever order trainings ended in."""

import random

import pytest

from dlexp.config.dimension import Dimension
from dlexp.error import RunError
from dlexp.job.sweep.asynchronous.ledger import Ledger
from dlexp.search.hyperband import Hyperband
from dlexp.search.strategy import Problem
from dlexp.search.tpe import TPE

SEARCHES = [Hyperband(trials=20, asynchronous=True), TPE(trials=20, startup=5, asynchronous=True)]


def begin(search):
    adviser = search.adviser(Problem([Dimension("x", "", low=0.0, high=1.0)], 9))
    assert adviser is not None
    return adviser


def advance(adviser, ledger, in_hand, draw, steps):
    """Go on with three workers that finish as chance has it; return what was given out."""
    given = []
    for _ in range(steps):
        while len(in_hand) < 3 and (round_ := adviser.ask()) is not None:
            ledger.begin(round_.proposals[0])
            in_hand.append(round_.proposals[0])
            given.append(round_.proposals[0])
        if not in_hand:
            break
        p = in_hand.pop(draw.randrange(len(in_hand)))
        score = None if p.number % 7 == 3 else p.settings["x"] / 3 + (p.until or 9)
        ledger.end(p, score)
        adviser.tell(p, score)
    return given


@pytest.mark.parametrize("search", SEARCHES, ids=["asha", "tpe"])
@pytest.mark.parametrize("seed", range(4))
def test_a_replay_goes_on_as_the_search_would_have(tmp_path, search, seed):
    draw, ledger = random.Random(seed), Ledger(tmp_path / "decisions.jsonl")
    adviser, in_hand = begin(search), []
    first = advance(adviser, ledger, in_hand, draw, 11)
    other = begin(search)
    told, begun = ledger.replay(other)
    numbers = [round_.proposals[0] for round_ in told + begun]
    assert sorted(numbers, key=str) == sorted(first, key=str)
    assert [round_.proposals[0] for round_ in begun] == sorted(in_hand, key=first.index)
    state, rest = draw.getstate(), list(in_hand)
    whole = advance(adviser, Ledger(tmp_path / "a"), in_hand, draw, 1000)
    draw.setstate(state)
    assert advance(other, Ledger(tmp_path / "b"), rest, draw, 1000) == whole
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert len(whole) > 5


def test_a_line_that_was_cut_is_as_if_it_had_not_been_written(tmp_path):
    ledger, adviser = Ledger(tmp_path / "decisions.jsonl"), begin(SEARCHES[0])
    advance(adviser, ledger, [], random.Random(0), 5)
    text = ledger.path.read_text()
    for cut in range(1, len(text.splitlines()[-1]) + 1):
        ledger.path.write_text(text[:-cut])
        other = begin(SEARCHES[0])
        told, begun = ledger.replay(other)
        in_hand = [round_.proposals[0] for round_ in begun]
        advance(other, ledger, in_hand, random.Random(1), 3)  # goes on behind the rest of the line
        again = ledger.replay(begin(SEARCHES[0]))
        assert len(again[0]) == len(told) + 3


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('["begin", 5, 1]', "setting 5"),
        ('["begin", 0, null]', "setting 0"),
        ('["end", 0, 1, 0.5]', "the end of setting 0"),
    ],
)
def test_a_record_of_another_search_is_refused_in_a_line(tmp_path, lines, told):
    (tmp_path / "decisions.jsonl").write_text(lines + "\n")
    with pytest.raises(
        RunError, match=f"decisions.jsonl: got {told}, which the search does not ask for now; begin anew"
    ):
        Ledger(tmp_path / "decisions.jsonl").replay(begin(SEARCHES[0]))


@pytest.mark.parametrize(
    "line", ["{}", "[]", "3", '["begin", "0", 1]', '["end", 0, 1]', '["end", 0, 1, NaN]', "\x00\x00"]
)
def test_what_is_no_decision_is_passed_over(tmp_path, line):
    (tmp_path / "decisions.jsonl").write_text(line + "\n")
    assert Ledger(tmp_path / "decisions.jsonl").replay(begin(SEARCHES[0])) == ([], [])
