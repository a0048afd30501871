"""How trials or folds become programs: alike ones together, none larger than a worker's share."""

from dataclasses import replace

from dlexp.build.components import Components
from dlexp.build.dataset import Datasets
from dlexp.execution.assignment import Assignment, Group
from dlexp.execution.fusion import Choice


def built(assignment: Assignment, datasets: Datasets) -> Assignment:
    """Return an assignment with what its configuration names."""
    components = assignment.built or Components(assignment.config, datasets(assignment.config))
    return replace(assignment, built=components)


def by_structure(assignments: list[Assignment]) -> list[list[Assignment]]:
    """Divide assignments by structure and pause, in order of first appearance."""
    alike: dict[tuple[str, int | None], list[Assignment]] = {}
    for assignment in assignments:
        alike.setdefault((assignment.components.structure, assignment.until), []).append(assignment)
    return list(alike.values())


def divide(structures: list[Group], num_workers: int) -> list[Group]:
    """Divide groups into those of one program each, none larger than a worker's share of its structure."""
    divided = []
    for group in structures:
        whole = group.assignments
        size = min(group.choice.size, -(-len(whole) // num_workers))
        divided += [replace(group, assignments=whole[start : start + size]) for start in range(0, len(whole), size)]
    return divided


def anew(group: Group) -> Group:
    """Return a group as its trials' next attempt, of which their folders say that no earlier one may write to them."""
    return replace(group, assignments=[assignment.anew() for assignment in group.assignments])


def names(alike: list[Assignment]) -> str:
    """Return the name of the first, and how many more there are."""
    first, *others = (assignment.path.name for assignment in alike)
    return f"{first} and {len(others)} more" if others else first


def remarks(choice: Choice, alike: list[Assignment]) -> list[str]:
    """Return what the log tells of how trials of one structure train: why not together, and what was left."""
    lines = []
    if choice.engine == "solo" and len(alike) > 1:
        lines.append(f"{names(alike)}: each trains alone, because {choice.reason}")
    if choice.failures:
        lines.append(f"for {names(alike)} what failed was left: {choice.failures}")
    return lines


def inexact(choice: Choice) -> str:
    """Return what the user is told where time chose between engines that round otherwise."""
    return (
        f"trainer.fuse=auto: time chose the engine {choice.engine} among some that differ in the last digits, so a new "
        "run may differ; trainer.fuse=off does not"
    )
