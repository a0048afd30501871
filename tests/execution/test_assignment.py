"""What an executor is given and tells can be sent to another process, and a program comes apart into its members."""

import pickle
from pathlib import Path

from dlexp.engine.event import EpochEnd
from dlexp.execution.assignment import Assignment, End, Epoch, Program
from dlexp.execution.fusion import SOLO, Choice

BATCHED = Choice("batched", 4, 2.0, "measured")


def program(number: int) -> Program:
    assignments = [Assignment({"seed": seed}, Path(f"run{seed}"), "trial", until=3) for seed in range(number)]
    return Program(assignments, BATCHED, threads=2)


def test_a_program_comes_apart_in_order_and_each_under_the_choice_given():
    whole = program(3)
    for choice in (SOLO, BATCHED):
        singles = whole.apart(choice)
        assert [single.assignments for single in singles] == [[assignment] for assignment in whole.assignments]
        assert all(single.choice == choice and single.threads == 2 for single in singles)
    assert len(whole.assignments) == 3


def test_all_of_it_survives_a_pickle():
    event = EpochEnd(trial=0, epoch=1, step=9, lr=0.1, metrics={"val/loss": 1.0}, seconds=0.1, is_best=False)
    for value in (program(2), Epoch(Path("run"), event), End(Path("run"), "failed", "no memory", 2)):
        assert pickle.loads(pickle.dumps(value)) == value
