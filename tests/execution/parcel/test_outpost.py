"""What a worker without the runs folder sends back when it is told to stop."""

from dlexp.run.folder import RunFolder
from tests.execution.parcel.away import train
from tests.execution.test_dispatcher import assign, holder

__all__ = ["holder"]  # a fixture


def test_what_was_told_to_stop_comes_back_with_its_checkpoint_and_goes_on(monkeypatch, holder):
    (assignment,), wishes = assign(holder, 1, "trainer.epochs=3"), []

    def note(event):
        wishes.append(event)
        return event

    told, _ = train(monkeypatch, holder, [assignment], change=note, should_stop=lambda: len(wishes) > 1)
    assert told == {}
    assert 0 < len(RunFolder(assignment.path).history()) < 3
    told, _ = train(monkeypatch, holder, [assignment])
    assert told[assignment.path].status == "finished"
    folder = RunFolder(assignment.path)
    assert (len(folder.history()), folder.manifest["resumes"]) == (3, 1)
