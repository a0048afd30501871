"""How trials become programs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from dlexp.execution.assignment import Assignment, Group
from dlexp.execution.fusion import SOLO, Choice
from dlexp.execution.plan.order import by_structure, divide, names


@dataclass
class Built:
    """What is looked at of components."""

    structure: str


def assignment(name: str, structure: str = "a", until: int | None = None) -> Assignment:
    return Assignment({}, Path(name), "trial", until, cast(Any, Built(structure)))


def test_alike_are_those_of_equal_structure_and_pause():
    given = [assignment("0"), assignment("1", "b"), assignment("2", until=3), assignment("3")]
    alike = [[a.path.name for a in group] for group in by_structure(given)]
    assert alike == [["0", "3"], ["1"], ["2"]]


def test_a_program_is_no_larger_than_a_worker_s_share():
    given = [assignment(str(number)) for number in range(7)]
    sizes = [len(group.assignments) for group in divide([Group(given, Choice("batched", 16, 1.0, ""), 1)], 3)]
    assert sizes == [3, 3, 1]
    assert len(divide([Group(given, SOLO, 1)], 3)) == 7


def test_names():
    assert names([assignment("x/a")]) == "a"
    assert names([assignment("x/a"), assignment("b"), assignment("c")]) == "a and 2 more"
