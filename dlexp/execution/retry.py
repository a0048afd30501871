"""What is done with tasks that came to no end: again, elsewhere or alone, and how often."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from dlexp.execution.assignment import Assignment, Group
from dlexp.launcher.pool import Lost

MOST_MOVES = 3  # of a trial whose machine was taken away, or whose device failed


class Retry:
    """Remembers which trials ended and what happened to the others.

    A worker that died may have died of a trial: each of its group is trained once more by itself, and one that is
    lost again has failed. Of a device or a machine that went no trial is to blame: the group goes on elsewhere, from
    its checkpoints; after `MOST_MOVES` moves the trial is given up, for it may be what devices fail of. What no device
    has the memory for has failed.
    """

    def __init__(self) -> None:
        self._ended: set[Path] = set()
        self._crashed: dict[Path, str] = {}
        self._moves: Counter[Path] = Counter()

    def note_end(self, path: Path) -> None:
        """Take note that a trial needs nothing more."""
        self._ended.add(path)

    def reason(self, assignment: Assignment) -> str | None:
        """Return why a trial that waits was lost before; None where it was not."""
        return self._crashed.get(assignment.path)

    def sort(self, lost: Lost, *, has_place: bool) -> tuple[list[Group], list[tuple[Assignment, str]]]:
        """Return groups that are to be done again, before all that wait, and assignments that have failed with why.

        Args:
            lost: A group that came to no end.
            has_place: Whether any worker is left.
        """
        rest = [assignment for assignment in lost.task.assignments if assignment.path not in self._ended]
        if not rest:
            return [], []
        if lost.cause == "memory":
            return [], [(assignment, lost.why) for assignment in rest]
        group = replace(lost.task, assignments=rest)
        return self._apart(group, lost.why) if lost.cause == "crash" or not has_place else self._moved(group, lost)

    def _moved(self, group: Group, lost: Lost) -> tuple[list[Group], list[tuple[Assignment, str]]]:
        self._moves.update(assignment.path for assignment in group.assignments)
        left = [assignment for assignment in group.assignments if self._moves[assignment.path] <= MOST_MOVES]
        spent = [assignment for assignment in group.assignments if self._moves[assignment.path] > MOST_MOVES]
        for assignment in left:
            assignment.folder.log(f"{lost.why}; once more on another")
        begun = f"it was begun on {MOST_MOVES + 1} {'machines' if lost.cause == 'place' else 'devices'}"
        failed = [(assignment, f"{lost.why}; {begun}") for assignment in spent]
        return [replace(group, assignments=left)] if left else [], failed

    def _apart(self, group: Group, why: str) -> tuple[list[Group], list[tuple[Assignment, str]]]:
        again: list[Group] = []
        failed: list[tuple[Assignment, str]] = []
        for single in group.apart(group.choice):
            (assignment,) = single.assignments
            if (before := self._crashed.get(assignment.path)) is not None:
                failed.append((assignment, f"{before}; then {why}"))
                continue
            self._crashed[assignment.path] = why
            assignment.folder.log(f"{why}; once more in another")
            again.append(single)
        return again, failed
