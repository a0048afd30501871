"""Between the driver and its workers: groups go out as workers need them, and folders that come back are put away."""

from dataclasses import replace
from pathlib import Path

from dlexp.engine.event import TrialEnd
from dlexp.execution.assignment import ExecutorEvent, Group
from dlexp.execution.executor import Executor, fail
from dlexp.execution.parcel.archive import ArchiveFault
from dlexp.execution.parcel.enclosure import Encloser
from dlexp.execution.parcel.neighbour import Neighbour
from dlexp.execution.parcel.outpost import Outpost
from dlexp.execution.parcel.parcel import Parcel, Returned
from dlexp.execution.plan.order import anew
from dlexp.launcher.launcher import Launcher
from dlexp.launcher.pool import Lost


class Post:
    """What travels, and how.

    Args:
        launcher: Says whether workers are elsewhere, and whether they see the runs folder.
    """

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._refused: dict[Path, str] = {}  # why a folder that came back is not in its place
        here = Executor if launcher.is_distant else Neighbour
        self.make_work = here if launcher.is_shared else Outpost
        self._enclose = Encloser(launcher)
        self.enclose_survey = None if launcher.is_shared else self._enclose.survey

    def send(self, group: Group | None) -> Group | Parcel | None:
        """Return a group as workers get it: as a new attempt, with its folders where they do not see them."""
        if group is None or not self._launcher.is_distant:
            return group
        group = anew(group)
        return group if self._launcher.is_shared else Parcel.of(group, self._enclose(group.assignments))

    def receive(self, returned: Returned) -> None:
        """Put a folder in its place; one that is refused makes its trial fail when that is told to have ended."""
        try:
            returned.put_in_place()
        except ArchiveFault as fault:
            self._refused[returned.path] = str(fault)

    def settle(self, event: ExecutorEvent) -> ExecutorEvent:
        """Return what is true of an event here."""
        fault = self._refused.pop(event.path, "") if isinstance(event.event, TrialEnd) else ""
        return fail(event.path, fault) if fault else event

    def reopen(self, lost: Lost) -> Lost:
        """Return a loss with the group that was lost."""
        return replace(lost, task=lost.task.group) if isinstance(lost.task, Parcel) else lost
