"""What an executor is given and tells can be sent to another process, and a group comes apart into its assignments."""

import pickle
from pathlib import Path

from dlexp.build.components import Components
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.execution.assignment import Assignment, ExecutorEvent, Group
from dlexp.execution.fusion import SOLO, Choice

BATCHED = Choice("batched", 4, 2.0, "measured")


def group(number: int) -> Group:
    assignments = [Assignment({"seed": seed}, Path(f"run{seed}"), "trial", until=3) for seed in range(number)]
    return Group(assignments, BATCHED, threads=2)


def test_a_group_comes_apart_in_order_and_each_under_the_choice_given():
    whole = group(3)
    for choice in (SOLO, BATCHED):
        singles = whole.apart(choice)
        assert [single.assignments for single in singles] == [[assignment] for assignment in whole.assignments]
        assert all(single.choice == choice and single.threads == 2 for single in singles)
    assert len(whole.assignments) == 3


def test_all_of_it_survives_a_pickle():
    event = EpochEnd(trial=0, epoch=1, step=9, lr=0.1, metrics={"val/loss": 1.0}, seconds=0.1, is_best=False)
    end = TrialEnd(0, "failed", "no memory", 0)
    for value in (group(2), *(ExecutorEvent(Path("run"), told, 2) for told in (event, end))):
        assert pickle.loads(pickle.dumps(value)) == value


def test_what_is_built_stays_in_its_process():
    def unpicklable():
        raise AssertionError

    built = Components({"seed": 1}, data=unpicklable)  # type: ignore[arg-type]  # what cannot be sent
    assignment = Assignment({"seed": 1}, Path("run"), "fold", built=built)
    there = pickle.loads(pickle.dumps(assignment))
    assert (assignment.components, there.built) == (built, None)
    assert there == assignment
