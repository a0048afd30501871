"""Trains where the runs folder is not: in a folder of its own, which is gone afterwards."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from dlexp.engine.event import TrialEnd
from dlexp.execution.assignment import Answer, Assignment, Begun, ExecutorEvent, Halt, Survey
from dlexp.execution.executor import Executor
from dlexp.execution.parcel.archive import Archive
from dlexp.execution.parcel.enclosure import Shelf
from dlexp.execution.parcel.parcel import Parcel, Returned


@dataclass
class Outpost:
    """What a worker's process keeps from one parcel to the next; called with one, it carries it out."""

    executor: Executor = field(default_factory=Executor)
    shelf: Shelf = field(default_factory=Shelf)

    def __call__(
        self, task: Parcel | Survey, should_stop: Callable[[], bool]
    ) -> Iterator[ExecutorEvent | Begun | Halt | Returned] | Iterator[Answer]:
        """Train a parcel's group, or answer a survey.

        Args:
            task: What to do.
            should_stop: As of an `Executor`.
        """
        return self._survey(task) if isinstance(task, Survey) else self._train(task, should_stop)

    def _survey(self, survey: Survey) -> Iterator[Answer]:
        here = self.shelf.settle(survey.assignments, survey.files)
        yield from self.executor.survey(replace(survey, assignments=here, files={}))

    def _train(
        self, parcel: Parcel, should_stop: Callable[[], bool]
    ) -> Iterator[ExecutorEvent | Begun | Halt | Returned]:
        with tempfile.TemporaryDirectory(prefix="dlexp-") as place:
            waiting = _unpack(parcel, Path(place))
            homes = dict(waiting)
            here = [replace(assignment, path=path, attempt=None) for path, assignment in homes.items()]
            here = self.shelf.settle(here, parcel.files)
            for event in self.executor.train(replace(parcel.group, assignments=here), should_stop):
                if not isinstance(event, ExecutorEvent):
                    yield event
                    continue
                if isinstance(event.event, TrialEnd):
                    yield _returned(event.path, waiting.pop(event.path))
                yield replace(event, path=homes[event.path].path)
            for path, assignment in waiting.items():  # told to stop: their checkpoints
                yield _returned(path, assignment)


def _unpack(parcel: Parcel, place: Path) -> dict[Path, Assignment]:
    """Write the folders, under the names that they have at home; return the assignments by their paths here."""
    by_path: dict[Path, Assignment] = {}
    for assignment, folder in zip(parcel.group.assignments, parcel.folders, strict=True):
        path = place.resolve() / assignment.path.parent.name / assignment.path.name
        folder.unpack(path)
        by_path[path] = assignment
    return by_path


def _returned(path: Path, assignment: Assignment) -> Returned:
    return Returned(assignment.path, assignment.attempt, Archive.of(path))
