"""A job on its node: what it hears, what it says, and when it gives up."""

import signal
from pathlib import Path

import pytest

from dlexp.disk.durable import write_text
from dlexp.launcher import job, plain
from dlexp.launcher.site import Site
from dlexp.launcher.task_folder import CLOSED, SITE, STOP, Mark, TaskFolder, begin_batch


@pytest.fixture
def batch(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setattr(job, "_requeue", lambda: 0)
    place = begin_batch(tmp_path)
    entry = {"site": Site.here(place), "make_work": "pool_work:make", "rest": "pool_work:rest", "preload": []}
    write_text(place / SITE, plain.dumps(entry))
    return place


def heard(signum):
    wish = job.Wish()
    wish._note(signum, None)
    return wish


def test_a_wish_is_a_signal_or_the_drivers_file(tmp_path, monkeypatch):
    assert heard(signal.SIGUSR2)()
    wish = job.Wish()
    wish.stop = tmp_path / STOP
    assert not wish()
    (tmp_path / STOP).touch()
    monkeypatch.setattr(job, "LOOK_SECONDS", 0)
    assert wish()


def test_a_task_is_done_with_its_events(batch):
    folder = TaskFolder.create(batch, 0, ("square", 3))
    assert job.main(batch, 0, job.Wish()) == 0
    kinds = [event.kind if isinstance(event, Mark) else event for event in folder.read()[0]]
    assert kinds == ["begun", ("begun", 3), ("square", 9), "done"]


def test_a_probe_says_what_it_sees(batch):
    folder = TaskFolder.create(batch, 0, None)
    assert job.main(batch, 0, job.Wish()) == 0
    assert folder.read()[0] == [Mark("seen")]
    (batch / "nonce").write_text("of another disk")
    assert job.main(batch, 0, job.Wish()) == 1
    assert folder.read()[0][1].kind == "refused"


def test_where_nothing_may_begin_a_job_that_has_begun_goes_on_and_another_does_not(batch):
    fresh, begun = TaskFolder.create(batch, 0, ("square", 3)), TaskFolder.create(batch, 1, ("square", 3))
    begun.add(Mark("begun"))
    begun.add(Mark("again"))
    (batch / CLOSED).touch()
    assert [job.main(batch, index, job.Wish()) for index in (0, 1)] == [0, 0]
    assert fresh.read()[0] == [Mark("done")]
    assert ("square", 9) in begun.read()[0]


def test_a_job_that_never_gets_to_work_gives_up_and_says_so(batch):
    folder = TaskFolder.create(batch, 0, ("nothing",))
    assert [job.main(batch, 0, heard(signal.SIGUSR2)) for _ in range(3)] == [0, 0, 1]
    kinds = [event.kind for event in folder.read()[0]]
    assert kinds == ["begun", "again", "begun", "again", "begun", "broken"]
    assert "raise launcher.timeout_min" in folder.read()[0][-1].why


def test_a_job_that_is_taken_away_neither_ends_nor_queues_itself(batch):
    folder = TaskFolder.create(batch, 0, ("until_stopped",))
    assert job.main(batch, 0, heard(signal.SIGTERM)) == 0
    assert folder.read()[0][-1] == Mark("taken")
