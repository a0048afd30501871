"""One process for many runs, with a sender that notes what it was given: nothing is lost, nothing is sent by two."""

import pytest

from dlexp.run.environment import now
from dlexp.tracking import courier, outbox
from dlexp.tracking.queue import Queue
from dlexp.tracking.sent import Sent


@pytest.fixture
def pushed(monkeypatch):
    """The runs that were sent, by name, with what happens while they are."""
    monkeypatch.setattr(courier, "_POLL", 0.0)
    names, meanwhile = [], {}

    def push(sender):
        folder = sender.folder
        names.append(folder.run_id)
        status = folder.manifest["status"]
        meanwhile.get(folder.run_id, lambda: None)()
        sender.sent.status = None if status == "running" else status
        sender.sent.write(folder)
        return status != "running"

    monkeypatch.setattr(outbox.Sender, "push", push)
    return names, meanwhile


def ended(fake_run):
    run = fake_run()
    run.train(1, 2)
    run.end()
    run.folder.unlock()
    Queue(run.folder.runs_dir).add(run.folder)
    return run.folder


def test_all_that_wait_are_sent_once_each_and_one_that_comes_meanwhile(fake_run, pushed):
    names, meanwhile = pushed
    first, second, late = (ended(fake_run) for _ in range(3))
    queue = Queue(first.runs_dir)
    queue.remove(late)
    meanwhile[second.run_id] = lambda: queue.add(late)
    courier.serve(first.runs_dir, linger=0.2)
    assert sorted(names) == sorted(folder.run_id for folder in (first, second, late))
    assert queue.waiting() == []
    assert not queue.lock.is_held()


def test_a_second_process_leaves_the_work_to_the_first(fake_run, pushed):
    names, _ = pushed
    folder = ended(fake_run)
    queue = Queue(folder.runs_dir)
    queue.lock.acquire()
    courier.serve(folder.runs_dir)
    assert (names, queue.holds(folder)) == ([], True)
    queue.lock.release()


def test_what_a_killed_process_left_is_sent_by_the_next(fake_run, pushed):
    names, meanwhile = pushed
    folder = ended(fake_run)

    def killed():
        raise KeyboardInterrupt

    meanwhile[folder.run_id] = killed
    with pytest.raises(KeyboardInterrupt):
        courier.serve(folder.runs_dir, linger=0.0)
    assert Queue(folder.runs_dir).holds(folder)
    del meanwhile[folder.run_id]
    outbox.end_leftovers(folder.runs_dir, {})  # `dlexp ui`
    assert names == [folder.run_id] * 2
    assert Sent.read(folder).status == "finished"


def test_a_run_that_is_resumed_while_its_end_is_sent_stays_on_the_list(fake_run, pushed):
    names, meanwhile = pushed
    folder = ended(fake_run)
    looks = iter([None])

    def resumed():
        if next(looks, "again") is None:
            folder.lock()
            folder.update_manifest(status="running", end=None)
            Queue(folder.runs_dir).add(folder)
        else:
            folder.update_manifest(status="finished", end=now())
            folder.unlock()

    meanwhile[folder.run_id] = resumed
    courier.serve(folder.runs_dir, linger=0.1)
    assert len(names) == 3
    assert Sent.read(folder).status == "finished"


def test_a_damaged_run_is_struck_off(fake_run, pushed):
    names, _ = pushed
    folder = ended(fake_run)
    (folder.path / "manifest.json").write_text("{")
    (folder.path / "config.yaml").write_text("{")
    courier.serve(folder.runs_dir, linger=0.1)
    assert names == []
    assert Queue(folder.runs_dir).waiting() == []
